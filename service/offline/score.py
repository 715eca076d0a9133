"""`python -m service score FILE`."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from seqserve.errors import RequestError
from seqserve.language.answers import ScoreResult
from seqserve.language.options import MAX_TOP, ScoreOptions
from seqserve.language.pipeline.score import counts_eos, read_score
from seqserve.language.scoring import Sums, score_sequences, sums_of
from seqserve.reading import Limits, placed
from seqserve.service.engine.models import LanguageModel
from seqserve.service.offline.common import (
    InputError,
    batches_of,
    make_parser,
    numbered_lines,
    open_offline,
    opened_files,
)


class CorpusSummary(msgspec.Struct, kw_only=True):
    """All lines together; fields as in an answer of /v1/score."""

    num_texts: int
    log_prob: float
    log10_prob: float
    num_tokens: int
    num_unknown: int
    perplexity: float | None
    perplexity_known: float | None


def score(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Score a file, one sentence per line in; JSON lines (an answer of /v1/score each) or text as of KenLM's query out.

    Raises BundleError and InputError.
    """
    parser = make_parser("score", score.__doc__, "UTF-8 text, one sentence per line", environment)
    parser.add_argument("--format", choices=("jsonl", "text"), default="jsonl", help="(default jsonl)")
    parser.add_argument("--include", nargs="+", choices=("tokens",), default=[], help="more in each JSON line")
    parser.add_argument("--top", type=int, default=0, metavar="N", help=f"alternatives of each token, up to {MAX_TOP}")
    parser.add_argument("--no-eos", action="store_true", help="do not count the end of the sentence")
    parser.add_argument("--summary", action="store_true", help="only the sums over all lines")
    given = parser.parse_args(arguments)
    if not 0 <= given.top <= MAX_TOP:
        parser.error(f"--top must lie in 0 to {MAX_TOP}, not {given.top}")
    if given.top and not given.include:
        parser.error("--top needs --include tokens")
    if given.include and (given.format != "jsonl" or given.summary):
        parser.error("--include is for JSON lines, not for --format text or --summary")
    model = open_offline(given, "language-model")
    try:
        eos = counts_eos(model.bundle, False if given.no_eos else None)
    except RequestError as error:
        raise InputError(error.detail) from error
    options = ScoreOptions(include=given.include, top=given.top, eos=eos)
    total, num_texts = Sums(), 0
    with opened_files(given) as (source, target):
        for lines in batches_of(line for _, line in numbered_lines(source, given.file, command="score")):
            for sums, result in score_lines(model, lines, options):
                total, num_texts = total + sums, num_texts + 1
                if given.summary:
                    continue
                if given.format == "text":
                    target.write(f"Total: {sums.log10_prob:.10g} OOV: {sums.num_unknown}\n".encode())
                else:
                    target.write(_json_line(result))
            target.flush()
        if given.format == "text":
            target.write(_text_summary(total))
        elif given.summary:
            target.write(_json_line(_summary(total, num_texts)))
        target.flush()
    return 0


def score_lines(
    model: LanguageModel, lines: Sequence[str], options: ScoreOptions
) -> Iterator[tuple[Sums, ScoreResult]]:
    """Score several texts at once; yields the sums and the answer of each, in order."""
    task = read_score(model.bundle, placed(lines), options, Limits())
    scores = score_sequences(model.bundle.run_rows, task.sequences, model.manifest, num_top=task.num_top)
    sums = [sums_of(ids, found.log_probs) for ids, found in zip(task.sequences.texts, scores, strict=True)]
    yield from zip(sums, task.results(scores), strict=True)


def _json_line(body: msgspec.Struct) -> bytes:
    return msgspec.json.encode(body) + b"\n"


def _summary(total: Sums, num_texts: int) -> CorpusSummary:
    return CorpusSummary(
        num_texts=num_texts,
        log_prob=total.log_prob,
        log10_prob=total.log10_prob,
        num_tokens=total.num_tokens,
        num_unknown=total.num_unknown,
        perplexity=total.perplexity,
        perplexity_known=total.perplexity_known,
    )


def _text_summary(total: Sums) -> bytes:
    """The last lines of KenLM's query; a perplexity of nothing is nan."""
    with_unknown, without = (
        "nan" if value is None else f"{value:.10g}" for value in (total.perplexity, total.perplexity_known)
    )
    return (
        f"Perplexity including OOVs:\t{with_unknown}\n"
        f"Perplexity excluding OOVs:\t{without}\n"
        f"OOVs:\t{total.num_unknown}\n"
        f"Tokens:\t{total.num_tokens}\n"
    ).encode()
