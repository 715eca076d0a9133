"""Score each line of a file, and the whole file. The output is JSON lines, as of /v1/score, or text as of KenLM.

An empty line is a sentence of no words: it has a probability, that of its end.
"""

import argparse
from collections.abc import Iterator, Sequence

import msgspec

from seqserve.commands.lines import add_file_flags, answer_lines, json_error
from seqserve.commands.model_flags import add_model_flags, number_up_to, open_chosen
from seqserve.errors import UsageError
from seqserve.language.language_model import LanguageModel
from seqserve.language.options import MAX_TOP, ScoreOptions
from seqserve.language.pipeline.score import read_score
from seqserve.language.scoring import Sums, score_sequences, sums_of
from seqserve.reading import Limits, placed

_SUMS = ("log_prob", "log10_prob", "num_tokens", "num_unknown", "perplexity", "perplexity_known")
"""Fields of the summary, which each line's result has too."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file, the model and what is shown."""
    add_file_flags(parser, "UTF-8 text, one sentence per line")
    add_model_flags(parser)
    parser.add_argument(
        "--format",
        choices=("jsonl", "text"),
        default="jsonl",
        help="JSON lines, or the text of KenLM's query, where an unknown word has the probability of <UNK> "
        "(default jsonl)",
    )
    parser.add_argument(
        "--include", action="append", choices=("tokens",), default=[], help="add every token to each JSON line"
    )
    parser.add_argument(
        "--top",
        type=number_up_to(MAX_TOP, least=0),
        default=0,
        metavar="N",
        help=f"with --include tokens: the N most likely alternatives of each, up to {MAX_TOP} (default 0)",
    )
    parser.add_argument("--no-eos", action="store_true", help="do not count the end of the sentence")
    parser.add_argument("--summary", action="store_true", help="print only the sums over all lines")


def run(given: argparse.Namespace) -> int:
    """Score; raises BundleError, InputError and UsageError."""
    if given.top and not given.include:
        raise UsageError("--top needs --include tokens.")
    if given.include and (given.format != "jsonl" or given.summary):
        raise UsageError("--include is for JSON lines, not for --format text or --summary.")
    bundle = open_chosen(given, LanguageModel).bundle
    options = ScoreOptions(eos=False if given.no_eos else None, include=given.include, top=given.top)
    total, num_texts = Sums(), 0

    def answer(lines: Sequence[str]) -> Iterator[bytes]:
        nonlocal total, num_texts
        task = read_score(bundle, placed(lines), options, Limits())
        rows = score_sequences(bundle.run_rows, task.sequences, bundle.manifest, num_top=task.num_top)
        # KenLM's query scores an unknown word as <UNK>, which stands for all of them.
        own = rows if given.format == "text" else task.own_rows(rows)
        each = [sums_of(item.ids, row.log_probs) for item, row in zip(task.inputs, own, strict=True)]
        total, num_texts = sum(each, total), num_texts + len(each)
        if given.summary:
            yield from [b""] * len(each)
        elif given.format == "text":
            for sums in each:
                yield f"Total: {sums.log10_prob:.10g} OOV: {sums.num_unknown}\n".encode()
        else:
            for result in task.results(rows):
                yield msgspec.json.encode(result) + b"\n"

    def end() -> bytes:
        if given.format == "text":
            return _text_summary(total)
        if not given.summary:
            return b""
        summary = {"num_texts": num_texts} | {name: getattr(total, name) for name in _SUMS}
        return msgspec.json.encode(summary) + b"\n"

    def failed(reason: str) -> bytes:
        return b"" if given.summary else json_error(reason)

    return answer_lines(given, str, answer, blank=None, failed=failed, end=end)


def _text_summary(total: Sums) -> bytes:
    """Return the last lines of KenLM's query; a perplexity of nothing is nan."""
    with_unknown, without = (
        "nan" if value is None else f"{value:.10g}" for value in (total.perplexity, total.perplexity_known)
    )
    return (
        f"Perplexity including OOVs:\t{with_unknown}\n"
        f"Perplexity excluding OOVs:\t{without}\n"
        f"OOVs:\t{total.num_unknown}\n"
        f"Tokens:\t{total.num_tokens}\n"
    ).encode()
