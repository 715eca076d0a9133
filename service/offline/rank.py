"""`python -m service rank FILE`."""

from collections.abc import Mapping, Sequence

import msgspec

from seqserve.errors import RequestError, invalid
from seqserve.language.pipeline.rank import read_rank
from seqserve.language.scoring import score_sequences
from seqserve.reading import Limits
from seqserve.service.body import decode_json
from seqserve.service.engine.models import LanguageModel
from seqserve.service.offline.common import InputError, make_parser, numbered_lines, open_offline, opened_files
from seqserve.service.routes.rank import RankRequest, RankResponse


def rank(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Rank candidates; JSON lines in (a request of /v1/rank each), JSON lines out (its answer each).

    Raises BundleError and InputError.
    """
    parser = make_parser("rank", rank.__doc__, "JSON lines, a request of /v1/rank each", environment)
    given = parser.parse_args(arguments)
    model = open_offline(given, "language-model")
    with opened_files(given) as (source, target):
        for number, line in numbered_lines(source, given.file, command="rank"):
            try:
                answer = _answer(model, line)
            except RequestError as error:
                raise InputError(f"{given.file}, line {number}: {error.detail}") from error
            target.write(msgspec.json.encode(answer) + b"\n")
            target.flush()
    return 0


def _answer(model: LanguageModel, line: str) -> RankResponse:
    body = decode_json(line.encode(), RankRequest)
    if body.model not in (None, model.manifest.name):
        raise invalid(f"The open model is {model.manifest.name!r}.", "model")
    task = read_rank(model.bundle, body, Limits())
    ranking = task.ranking(score_sequences(model.bundle.run_rows, task.sequences, model.manifest))
    name, version = model.manifest.name, model.manifest.version
    return RankResponse(model=name, version=version, best=ranking[0].index, ranking=ranking)
