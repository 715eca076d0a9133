"""Sentences with tags from files of any format that taggers are trained on, and what was understood of a file."""

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from seqserve.training.reading.annotated_text import AnnotatedText, Misfit, Unaligned, align
from seqserve.training.reading.brat import read_brat
from seqserve.training.reading.conll import Sentence, understand_conll
from seqserve.training.reading.docbin import read_docbin
from seqserve.training.reading.json_records import is_json, read_json_records
from seqserve.training.reading.lines import TextError, read_raw_lines
from seqserve.training.reading.parquet import read_parquet_records, tag_names_of
from seqserve.training.reading.records import SPAN_KEYS, TaggedTokens, read_record
from seqserve.training.reading.tag_schemes import understand_tags

Format = Literal["auto", "conll", "json", "parquet", "docbin", "brat"]

_BY_SUFFIX: dict[str, Format] = {
    ".conll": "conll",
    ".conllu": "conll",
    ".jsonl": "json",
    ".json": "json",
    ".parquet": "parquet",
    ".spacy": "docbin",
    ".ann": "brat",
}
_TITLES = {
    "conll": "columns",
    "json": "JSON",
    "parquet": "Parquet",
    "docbin": "spaCy's DocBin",
    "brat": "brat's stand-off files",
}


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How a file is read.

    token_column, tag_column: of columns. tag_names: names of integer tags, by number.
    """

    format: Format = "auto"
    unaligned: Unaligned = "widen"
    token_column: int = 0
    tag_column: int = -1
    tag_names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Examples:
    """The sentences of a file, and what was understood of it.

    format: its title, for people; scheme: of its tags, or that it has spans; misfits: spans that no tags can hold as
    they are; num_skipped: records that their annotators rejected or skipped.
    """

    sentences: list[Sentence]
    format: str
    scheme: str
    misfits: tuple[Misfit, ...] = ()
    num_skipped: int = 0


def read_examples(path: Path, options: ReadOptions = ReadOptions()) -> Examples:
    """Read a file, or a folder of brat's; raises TextError, naming file and line, for what cannot be understood."""
    found = options.format if options.format != "auto" else find_format(path)
    if found == "conll":
        columns = understand_conll(path, token_column=options.token_column, tag_column=options.tag_column)
        return Examples(sentences=columns.sentences, format=_TITLES[found], scheme=columns.scheme)
    if found in ("docbin", "brat"):
        texts = list(read_docbin(path) if found == "docbin" else read_brat(path))
        return _aligned(texts, options, format=_TITLES[found])
    records = read_json_records(path) if found == "json" else read_parquet_records(path)
    read = [read_record(record, place) for record, place in records]
    tagged = [each for each in read if isinstance(each, TaggedTokens)]
    texts = [each for each in read if isinstance(each, AnnotatedText)]
    num_skipped = len(read) - len(tagged) - len(texts)
    if not tagged:
        if texts and not any(text.has_spans for text in texts):
            raise TextError(f"{texts[0].place}: has a text, and no record has spans ({', '.join(SPAN_KEYS)})")
        return _aligned(texts, options, format=f"{_TITLES[found]} of texts and spans", num_skipped=num_skipped)
    if texts:
        raise TextError(f"{texts[0].place}: has a text where other records have tokens and tags")
    names = options.tag_names or (tag_names_of(path) if found == "parquet" else ())
    sentences, scheme = _tagged(tagged, names)
    return Examples(
        sentences=sentences,
        format=f"{_TITLES[found]} of tokens and tags",
        scheme=scheme,
        num_skipped=num_skipped,
    )


def find_format(path: Path) -> Format:
    """Return the format that the name of a file tells, or else its beginning."""
    if path.is_dir() or (path.suffix == ".txt" and path.with_suffix(".ann").is_file()):
        return "brat"
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix not in (".gz", ".xz")]
    if suffixes and suffixes[-1] in _BY_SUFFIX:
        return _BY_SUFFIX[suffixes[-1]]
    with contextlib.suppress(OSError), path.open("rb") as file:
        if file.read(4) == b"PAR1":
            return "parquet"
    line = next((line for line in read_raw_lines(path) if line.strip()), "")
    return "json" if is_json(line) else "conll"


def _aligned(texts: Iterable[AnnotatedText], options: ReadOptions, *, format: str, num_skipped: int = 0) -> Examples:
    aligned = [align(text, options.unaligned) for text in texts]
    return Examples(
        sentences=[sentence for sentences, _ in aligned for sentence in sentences],
        format=format,
        scheme="spans of characters",
        misfits=tuple(misfit for _, misfits in aligned for misfit in misfits),
        num_skipped=num_skipped,
    )


def _tagged(tagged: Sequence[TaggedTokens], names: Sequence[str]) -> tuple[list[Sentence], str]:
    rows = [[_named(value, names, each.place) for value in each.values] for each in tagged]
    places: dict[str, str] = {}
    for each, row in zip(tagged, rows, strict=True):
        for value in row:
            places.setdefault(value, each.place)
    tags = understand_tags(places)
    sentences = [
        Sentence(each.tokens, tuple(tags.tag_of[value] for value in row))
        for each, row in zip(tagged, rows, strict=True)
        if row
    ]
    return sentences, tags.scheme


def _named(value: str | int, names: Sequence[str], place: str) -> str:
    if isinstance(value, str):
        return value
    if not 0 <= value < len(names):
        there = f"{len(names)} names are given" if names else "give their names, in order, as tag_names (--tag-names)"
        raise TextError(f"{place}: {value} is the number of a tag: {there}")
    return names[value]
