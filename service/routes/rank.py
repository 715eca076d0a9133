"""POST /v1/rank: the best of several candidates."""

from typing import Annotated

from flask import Blueprint
from msgspec import Meta, Struct

from seqserve.language.answers import RankedCandidate
from seqserve.language.options import RankOptions
from seqserve.language.pipeline.rank import RankTask, read_rank
from seqserve.language.scoring import score_sequences
from seqserve.service.answers import Answer, large_json_answer
from seqserve.service.body import from_body
from seqserve.service.context import Exchange, exchange
from seqserve.service.engine.models import LanguageModel
from seqserve.service.engine.scoring import QueuedRuns
from seqserve.service.memory import trim_after
from seqserve.service.routes.limits import check_number, token_limits

blueprint = Blueprint("rank", __name__)


class RankRequest(RankOptions, forbid_unknown_fields=True, kw_only=True):
    """Candidates to choose among, as of an n-best list of speech recognition or translation."""

    model: Annotated[
        str | None, Meta(description="Name of a language model; absent: the only one, or the first by name.")
    ] = None


class RankResponse(Struct, kw_only=True):
    """The candidates, best first; of equal ones the first that was sent comes first."""

    model: str
    version: str
    best: Annotated[int, Meta(description="Index of the best candidate in the request.")]
    ranking: list[RankedCandidate]


@blueprint.post("/v1/rank")
def rank() -> Answer:
    """Answer one request."""
    here = exchange()
    model, task = from_body(here, RankRequest, _read)
    num_tokens = task.sequences.num_tokens
    run = QueuedRuns(model, here.cancellation)
    with model.batcher.admitted(num_tokens, here.cancellation.client):
        scores = score_sequences(run, task.sequences, model.manifest)
    here.queue_s, here.compute_s = run.queue_s, run.compute_s
    here.service.telemetry.count_tokens(model.manifest.name, num_tokens, kind="scored")
    here.at_end.append(lambda: trim_after(num_tokens))
    ranking = task.ranking(scores)
    name, version = model.manifest.name, model.manifest.version
    response = RankResponse(model=name, version=version, best=ranking[0].index, ranking=ranking)
    return large_json_answer(response, num_items=len(ranking), cancellation=here.cancellation)


def _read(here: Exchange, body: RankRequest) -> tuple[LanguageModel, RankTask]:
    settings = here.service.settings
    check_number(len(body.candidates), settings, "candidates")
    model = here.service.registry.find(body.model, task="language-model")
    here.model = model.manifest.name
    return model, read_rank(model.bundle, body, token_limits(settings))
