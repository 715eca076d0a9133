"""`seqserve train evaluate` on a language model: perplexity of a text file, accuracy on minimal pairs."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from seqserve.errors import UsageError
from seqserve.language.model import LanguageModelBundle
from seqserve.training.language.minimal_pairs import PairCounts, evaluate_pairs, overall, read_pairs
from seqserve.training.language.text_evaluation import TextScores, evaluate_text, shown
from seqserve.training.reading.text import TextFile, TextOptions

KIND = "language model"
ARGUMENTS = ("whole", "sentences", "format", "column", "prefix", "distinct", "part", "pairs")

_FORMATS = ("text", "books", "wikitext", "tsv", "abc", "conll")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that only a language model takes."""
    group = add_text_arguments(parser)
    group.add_argument(
        "--pairs",
        type=Path,
        nargs="+",
        default=[],
        metavar="PAIRS",
        help="minimal pairs: BLiMP's JSON lines, or good TAB bad [TAB paradigm]",
    )


def add_text_arguments(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add the arguments that say how a text file is read."""
    group = parser.add_argument_group("language models; of these, classifiers take --column, --distinct and --part")
    unit = group.add_mutually_exclusive_group()
    unit.add_argument(
        "--whole", action="store_true", help="read the file as one running text: the state is carried over line ends"
    )
    unit.add_argument("--sentences", action="store_true", help="cut each line into sentences (words only)")
    group.add_argument("--format", choices=_FORMATS, default="text", help="format of the file (default: text)")
    group.add_argument("--column", type=int, default=0, metavar="N", help="column of a tsv file (0)")
    group.add_argument("--prefix", default="", metavar="TEXT", help="put TEXT before every line; it is scored too")
    group.add_argument("--distinct", action="store_true", help="count repeated lines once")
    group.add_argument(
        "--part",
        type=float,
        nargs=2,
        default=[0.0, 1.0],
        metavar=("FROM", "TO"),
        help="read the part of the file that part = [FROM, TO] names in a configuration",
    )
    return group


def run(bundle: LanguageModelBundle, arguments: argparse.Namespace) -> tuple[dict[str, object], str]:
    """Return the measures for JSON, and a report for people; raises SeqserveError when a file cannot be used."""
    if arguments.file is None and not arguments.pairs:
        raise UsageError("a language model is evaluated on FILE, on --pairs, or on both")
    text, counts, reports = None, None, []
    if arguments.file is not None:
        file, options = text_options(bundle, arguments.file, arguments)
        text = evaluate_text(bundle, arguments.file, file, options)
        reports.append(text_report(text))
    if arguments.pairs:
        counts = evaluate_pairs(bundle, [pair for path in arguments.pairs for pair in read_pairs(path)])
        reports.append(pairs_report(counts))
    return as_dict(text, counts), "\n".join(reports)


def text_options(
    bundle: LanguageModelBundle, path: Path, arguments: argparse.Namespace
) -> tuple[TextFile, TextOptions]:
    """Return how to read a file, for this bundle; raises UsageError for options that exclude each other."""
    manifest = bundle.manifest
    level = manifest.architecture.level
    if arguments.sentences and level == "character":
        raise UsageError("--sentences: a character model takes lines, or the file as a --whole")
    if arguments.whole and level == "character" and manifest.ends_sentences:
        raise UsageError("--whole: this character model ends lines in <EOS> and takes them one by one")
    file = text_file(path, arguments)
    options = TextOptions(
        level=level,
        tokenization=manifest.tokenization.name,
        lookup=tuple(manifest.tokenization.lookup),
        unit="stream" if arguments.whole else "sentence" if arguments.sentences else "line",
        ends_sentences=manifest.ends_sentences,
    )
    file.check(options)
    return file, options


def text_file(path: Path, arguments: argparse.Namespace) -> TextFile:
    """Return the file as the arguments say it is written."""
    return TextFile(
        file=str(path),
        format=arguments.format,
        column=arguments.column,
        prefix=arguments.prefix,
        part=tuple(arguments.part),
        distinct=arguments.distinct,
    )


def as_dict(text: TextScores | None, counts: Mapping[str, PairCounts] | None) -> dict[str, object]:
    """Return the measures for a JSON file; rates are fractions, logarithms natural."""
    measured: dict[str, object] = {}
    if text is not None:
        measured["text"] = text.as_dict()
    if counts is not None:
        paradigms = {name: each.as_dict() for name, each in counts.items()}
        measured["pairs"] = {**overall(counts).as_dict(), "paradigms": paradigms}
    return measured


def text_report(scores: TextScores) -> str:
    """Return a few lines of text, perplexities with and without unknown tokens."""
    sums, bits = scores.sums, scores.bits_per_char
    lines = [
        f"lines: {scores.num_lines}; sequences: {scores.num_sequences}; tokens: {sums.num_tokens}; "
        f"unknown: {sums.num_unknown} ({scores.unknown_rate:.2%}); log P: {sums.log_prob:.1f}",
        f"perplexity: {shown(sums.perplexity)}; without unknown tokens: {shown(sums.perplexity_known)}",
        f"bits per character: {shown(bits, 4)} ({scores.num_characters} characters)",
    ]
    return "\n".join(lines)


def pairs_report(counts: Mapping[str, PairCounts]) -> str:
    """Return one line over all pairs and one for each paradigm."""
    rows = [("all", overall(counts)), *counts.items()] if len(counts) > 1 else list(counts.items())
    width = max(len(name) for name, _ in rows)
    return "\n".join(
        f"{name:>{width}}: accuracy: {each.accuracy:7.2%}; pairs: {each.num_pairs}; ties: {each.num_ties}; "
        f"with unknown: {each.unknown_share:.1%}"
        for name, each in rows
    )
