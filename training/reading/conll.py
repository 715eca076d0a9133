"""Sentences with tags, read from CoNLL column files."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from seqserve.tagger.tags import Span, spans_from_tags, tags_from_spans
from seqserve.training.reading.lines import TextError, read_lines

# CoNLL-U style metadata ("# doc = x", "# newpar"). The token "#" itself is followed by a tab, or by tag columns.
_COMMENT_IN_SPACED_FILE = re.compile(r"#\s*(?:[A-Za-z_][\w.:-]*(?: id)? = |new(?:doc|par)\b)")
_SPACES = re.compile(r"[ \t]+")
_TAG = re.compile(r"O|[BIOESML]-.+")


@dataclass(frozen=True, slots=True)
class Sentence:
    """Tokens of one sentence and their tags, of equal length."""

    tokens: tuple[str, ...]
    tags: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.tokens) != len(self.tags):
            raise ValueError(f"a sentence of {len(self.tokens)} tokens has {len(self.tags)} tags")


def read_conll(path: str | Path, *, token_column: int = 0, tag_column: int = -1) -> list[Sentence]:
    """Read sentences of a column file, plain, .gz or .xz, in UTF-8, blank lines between sentences.

    Columns are split at tabs when the first row has one, otherwise at spaces; negative columns count from
    the end. `-DOCSTART-` lines and comments such as `# doc = …` are left out; a token `#` is kept.
    Tags stay as they are written (IOB1, BIO, BIOES, BMES): see `to_scheme`.
    Raises TextError for ragged lines, missing columns, empty tokens and values that are no tags.
    """
    path = Path(path)
    sentences: list[Sentence] = []
    tokens: list[str] = []
    tags: list[str] = []
    for columns, number in _rows(path):
        if columns:
            token, tag = _pick(columns, token_column, tag_column, where=f"{path}, line {number}")
            if token != "-DOCSTART-":
                tokens.append(token)
                tags.append(tag)
        elif tokens:
            sentences.append(Sentence(tuple(tokens), tuple(tags)))
            tokens, tags = [], []
    if tokens:
        sentences.append(Sentence(tuple(tokens), tuple(tags)))
    return sentences


def to_scheme(sentences: Iterable[Sentence], scheme: str) -> list[Sentence]:
    """Return the same spans written in another scheme: "IOB1", "BIO" or "BIOES"."""
    return [
        Sentence(each.tokens, tuple(tags_from_spans(spans_from_tags(each.tags), len(each.tags), scheme)))
        for each in sentences
    ]


def map_labels(sentences: Iterable[Sentence], mapping: Mapping[str, str]) -> list[Sentence]:
    """Return labels renamed as in mapping, labels that are not in it removed; the result is in BIO.

    It works on spans, not on tags, so that neighbours whose labels become equal stay two spans.
    """
    mapped = []
    for each in sentences:
        spans = [
            Span(mapping[span.label], span.start, span.end)
            for span in spans_from_tags(each.tags)
            if span.label in mapping
        ]
        mapped.append(Sentence(each.tokens, tuple(tags_from_spans(spans, len(each.tags), "BIO"))))
    return mapped


def _rows(path: Path) -> Iterator[tuple[list[str], int]]:
    """Yield (columns, line number) of each line that is no comment; no columns for a blank line."""
    lines = list(read_lines(path))
    lines[:1] = [line.removeprefix("\ufeff") for line in lines[:1]]
    tabbed = _is_tabbed(lines)
    num_columns = 0
    for number, line in enumerate(lines, start=1):
        stripped = line.strip(" \t")
        if not stripped:
            yield [], number
            continue
        if _is_comment(line, tabbed=tabbed):
            continue
        columns = line.split("\t") if tabbed else _SPACES.split(stripped)
        if columns[0] == "-DOCSTART-":  # some files write it with fewer columns than their other lines
            yield [], number
            continue
        num_columns = num_columns or len(columns)
        if len(columns) != num_columns:
            raise TextError(
                f"{path}, line {number}: {len(columns)} columns where the lines before have {num_columns}: {line!r}"
            )
        yield columns, number


def _is_tabbed(lines: list[str]) -> bool:
    """Return whether tabs part the columns of the first line that is neither a comment nor a document mark."""
    for line in lines:
        if line.strip(" \t") and not line.startswith(("#", "-DOCSTART-")):
            return "\t" in line
    return any("\t" in line for line in lines)


def _is_comment(line: str, *, tabbed: bool) -> bool:
    if not line.startswith("#") or "\t" in line:
        return False
    return line.startswith("# ") if tabbed else _COMMENT_IN_SPACED_FILE.match(line) is not None


def _pick(columns: list[str], token_column: int, tag_column: int, *, where: str) -> tuple[str, str]:
    try:
        token, tag = columns[token_column], columns[tag_column]
    except IndexError:
        raise TextError(
            f"{where}: has {len(columns)} columns, not the columns {token_column} and {tag_column} asked for"
        ) from None
    if not token.strip():
        raise TextError(f"{where}: the token is empty")
    if token != "-DOCSTART-" and not _TAG.fullmatch(tag):
        raise TextError(f"{where}: {tag!r} in column {tag_column} is not a tag (O, B-…, I-…, E-…, S-…, M-…)")
    return token, tag
