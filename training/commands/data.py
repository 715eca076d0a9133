"""Say what training data hold, before a model is trained on them: sentences, tokens, spans by label, what did not fit.

Give the training file first: sentences that another file repeats are counted.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import combinations, islice
from typing import get_args

from seqserve.tagger.tags import OUTSIDE, spans_from_tags
from seqserve.text.tokenization import tokenize
from seqserve.training.corpora import data_path
from seqserve.training.reading.annotated_text import Unaligned, misfit_lines
from seqserve.training.reading.conll import Sentence
from seqserve.training.reading.examples import Examples, Format, ReadOptions, read_examples
from seqserve.training.reading.lines import TextError

_NUM_EXAMPLES = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the files and how they are read."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="CoNLL or CoNLL-U columns, JSON or JSON lines (doccano, Prodigy, Label Studio, spaCy), Parquet, DocBin, "
        "a folder of brat's, or NAME/FILE of a known data set",
    )
    parser.add_argument("--format", choices=get_args(Format), default="auto", help="default auto: by name and content")
    parser.add_argument(
        "--unaligned",
        choices=get_args(Unaligned),
        default="widen",
        help="what happens to spans of characters that begin or end inside a token (default widen)",
    )
    parser.add_argument("--token-column", type=int, default=0, metavar="N", help="column of the tokens (0)")
    parser.add_argument("--tag-column", type=int, default=-1, metavar="N", help="column of the tags (-1, the last)")
    parser.add_argument(
        "--tag-names", type=lambda text: tuple(text.split(",")), default=(), metavar="O,…", help="names of integer tags"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(given: argparse.Namespace) -> int:
    """Print what was understood; raises SeqserveError for a file that cannot be."""
    options = ReadOptions(**{field.name: getattr(given, field.name) for field in fields(ReadOptions)})
    read = {name: _read(name, options) for name in dict.fromkeys(given.files)}
    summaries = [_summary(name, examples) for name, examples in read.items()]
    repeated = _repeated({name: examples.sentences for name, examples in read.items()})
    if given.json:
        tables = {"files": [asdict(each) for each in summaries], "repeated": [asdict(each) for each in repeated]}
        print(json.dumps(tables, indent=1, ensure_ascii=False))
        return 0
    for summary, examples in zip(summaries, read.values(), strict=True):
        print("\n".join(_report(summary, examples)))
    for each in repeated:
        print(f"{each.file}: sentences that are in {each.of} too: {each.num_sentences:,}")
    labels = {label for summary in summaries for label in summary.spans}
    for summary in summaries:
        if missing := sorted(labels - summary.spans.keys()):
            print(f"{summary.file}: labels that only another file has: {', '.join(missing)}")
    return 0


@dataclass(frozen=True)
class Summary:
    """What a file holds; spans: by label, most first; num_repeated: sentences that it has before.

    num_retokenized: sentences that the service reads with other tokens than the file's.
    """

    file: str
    format: str
    scheme: str
    num_sentences: int
    num_tokens: int
    spans: dict[str, int]
    num_retokenized: int
    num_repeated: int
    num_skipped: int
    misfits: list[str]
    examples: list[str]


@dataclass(frozen=True)
class Repeated:
    """Sentences of a file that are in one before it too."""

    file: str
    of: str
    num_sentences: int


def _read(name: str, options: ReadOptions) -> Examples:
    path = data_path(name)
    examples = read_examples(path, options)
    if not examples.sentences:
        raise TextError(f"{path}: it holds no sentence")
    return examples


def _summary(name: str, examples: Examples) -> Summary:
    sentences = examples.sentences
    spans = Counter(span.label for each in sentences for span in spans_from_tags(each.tags))
    with_spans = (each for each in sentences if any(tag != OUTSIDE for tag in each.tags))
    return Summary(
        file=name,
        format=examples.format,
        scheme=examples.scheme,
        num_sentences=len(sentences),
        num_tokens=sum(len(each.tokens) for each in sentences),
        spans=dict(spans.most_common()),
        num_retokenized=sum(
            not each.is_served and tuple(token.text for token in tokenize(" ".join(each.tokens))) != each.tokens
            for each in sentences
        ),
        num_repeated=len(sentences) - len({each.tokens for each in sentences}),
        num_skipped=examples.num_skipped,
        misfits=[str(misfit) for misfit in examples.misfits],
        examples=[_shown(each) for each in islice(with_spans, _NUM_EXAMPLES)],
    )


def _repeated(read: Mapping[str, Sequence[Sentence]]) -> list[Repeated]:
    distinct = {name: {each.tokens for each in sentences} for name, sentences in read.items()}
    counts = [
        Repeated(name, other, sum(each.tokens in distinct[other] for each in read[name]))
        for other, name in combinations(read, 2)
    ]
    return [each for each in counts if each.num_sentences]


def _report(summary: Summary, examples: Examples) -> Iterator[str]:
    """Yield lines for people."""
    labels = ", ".join(f"{label} {count:,}" for label, count in summary.spans.items())
    yield f"{summary.file}: {summary.format}; {summary.scheme}"
    yield f"  sentences: {summary.num_sentences:,}; tokens: {summary.num_tokens:,}"
    yield f"  spans: {sum(summary.spans.values()):,}{f' ({labels})' if labels else ''}"
    for what, count in (
        ("sentences whose tokens are others in the service", summary.num_retokenized),
        ("sentences that repeat an earlier one", summary.num_repeated),
        ("records that their annotators rejected or skipped", summary.num_skipped),
    ):
        if count:
            yield f"  {what}: {count:,}"
    yield from (f"  {line}" for line in misfit_lines(examples.misfits))
    yield from (f"  | {each}" for each in summary.examples)


def _shown(sentence: Sentence) -> str:
    """Return a sentence with its spans in brackets: "[Ann Lee PER] left"."""
    words = list(sentence.tokens)
    for label, start, end in spans_from_tags(sentence.tags):
        words[start] = f"[{words[start]}"
        words[end - 1] = f"{words[end - 1]} {label}]"
    return " ".join(words)
