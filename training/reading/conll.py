"""Sentences with tags, read from CoNLL column files."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from seqserve.tagger.tags import OUTSIDE, Span, continues, spans_from_tags, tags_from_spans
from seqserve.training.reading.lines import TextError, read_lines
from seqserve.training.reading.tag_schemes import tags_in_misc, understand_tags

# CoNLL-U style metadata ("# doc = x", "# newpar"). The token "#" itself is followed by a tab, or by tag columns.
_COMMENT_IN_SPACED_FILE = re.compile(r"#\s*(?:[A-Za-z_][\w.:-]*(?: id)? = |new(?:doc|par)\b)")
_SPACES = re.compile(r"[ \t]+")
_DOCUMENT_MARK = re.compile(r"-DOCSTART-(?:\s|$)")
_CONLLU_COLUMNS = 10
_CONLLU_ID = re.compile(r"\d+([-.]\d+)?")


@dataclass(frozen=True, slots=True)
class Sentence:
    """Tokens of one sentence and their tags, of equal length.

    is_served: the tokens are those that the service finds in the text, not a file's own.
    """

    tokens: tuple[str, ...]
    tags: tuple[str, ...]
    is_served: bool = False

    def __post_init__(self) -> None:
        if len(self.tokens) != len(self.tags):
            raise ValueError(f"a sentence of {len(self.tokens)} tokens has {len(self.tags)} tags")


@dataclass(frozen=True)
class ColumnFile:
    """The sentences of a column file, and the scheme of its tags as people call it."""

    sentences: list[Sentence]
    scheme: str


def read_conll(path: str | Path, *, token_column: int = 0, tag_column: int = -1) -> list[Sentence]:
    """Read sentences of a column file, plain, .gz or .xz, in UTF-8, blank lines between sentences.

    Columns are split at tabs when the first row has one, otherwise at spaces; negative columns count from
    the end. `-DOCSTART-` lines and comments such as `# doc = …` are left out; a token `#` is kept. In CoNLL-U, words
    are in column 1, tags in a key of MISC; multiword ranges and empty nodes are left out.
    Tags are those of the file (`understand_tags`), their prefixes in capitals, L, U and W of BILOU and BMEWO as E and
    S: see `to_scheme`. Raises TextError for ragged lines, missing columns, empty tokens and values that are no tags.
    """
    return understand_conll(path, token_column=token_column, tag_column=tag_column).sentences


def understand_conll(path: str | Path, *, token_column: int = 0, tag_column: int = -1) -> ColumnFile:
    """Read sentences as `read_conll` does, with the scheme of their tags."""
    path = Path(path)
    rows = list(_rows(path))
    is_conllu = all(_is_conllu(columns) for columns, _ in rows if columns)
    if is_conllu:
        rows = [(columns, number) for columns, number in rows if not columns or columns[0].isdecimal()]
        token_column = token_column or 1
    tokens, values, places = list[list[str]]([[]]), list[list[str]]([[]]), dict[str, str]()
    for columns, number in rows:
        if columns:
            where = f"{path}, line {number}"
            token, value = _pick(columns, token_column, tag_column, where=where)
            tokens[-1].append(token)
            values[-1].append(value)
            places.setdefault(value, where)
        elif tokens[-1]:
            tokens.append([])
            values.append([])
    if is_conllu and (tag_of := tags_in_misc(places, path)):
        values = [[tag_of[value] for value in row] for row in values]
        places = {tag: places[value] for value, tag in reversed(tag_of.items())}
    tags = understand_tags(places)
    sentences = [
        Sentence(tuple(row), tuple(tags.tag_of[value] for value in given))
        for row, given in zip(tokens, values, strict=True)
        if row
    ]
    return ColumnFile(sentences, "IOB1" if tags.scheme == "BIO" and _is_iob1(sentences) else tags.scheme)


def to_scheme(sentences: Iterable[Sentence], scheme: str) -> list[Sentence]:
    """Return the same spans written in another scheme: "IOB1", "BIO" or "BIOES"."""
    return [
        replace(each, tags=tuple(tags_from_spans(spans_from_tags(each.tags), len(each.tags), scheme)))
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
        mapped.append(replace(each, tags=tuple(tags_from_spans(spans, len(each.tags), "BIO"))))
    return mapped


def _rows(path: Path) -> Iterator[tuple[list[str], int]]:
    """Yield (columns, line number) of each line that is no comment; no columns for a blank line."""
    lines = list(read_lines(path))
    tabbed = _is_tabbed(lines)
    num_columns = 0
    for number, line in enumerate(lines, start=1):
        stripped = line.strip(" \t")
        # Some files write a document's mark with fewer columns than their other lines, or with a space among tabs.
        if not stripped or _DOCUMENT_MARK.match(stripped):
            yield [], number
            continue
        if _is_comment(line, tabbed=tabbed):
            continue
        columns = line.split("\t") if tabbed else _SPACES.split(stripped)
        num_columns = num_columns or len(columns)
        if len(columns) != num_columns:
            raise TextError(
                f"{path}, line {number}: {len(columns)} columns where the lines before have {num_columns}: {line!r}"
            )
        yield columns, number


def _is_conllu(columns: list[str]) -> bool:
    return len(columns) == _CONLLU_COLUMNS and _CONLLU_ID.fullmatch(columns[0]) is not None


def _is_iob1(sentences: Iterable[Sentence]) -> bool:
    """Return whether an I begins a span."""
    return any(
        tag.startswith("I-") and not continues(before, tag)
        for each in sentences
        for before, tag in zip((OUTSIDE, *each.tags), each.tags, strict=False)
    )


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
    return token, tag
