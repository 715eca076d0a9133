"""Where the layout of a text ends a sentence: lists, signatures, addresses and tables, but no wrapped prose.

A cell is what stands between line ends, tabs and gaps of three or more spaces.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from seqserve.text.starters import NEVER_LAST, SMALL_WORDS, STARTERS
from seqserve.text.tokenization import Token

_LINE_END_OR_TAB = re.compile(r"[\n\r\t\v\f\x1c-\x1e\x85\u2028\u2029]")
_BREAK = re.compile(rf"{_LINE_END_OR_TAB.pattern}|[^\S\n\r]{{3}}")
_LONGEST_CELL = 48  # code points; a longer one is a line of prose
_SHORTEST_LINE = 18  # code points; prose is hardly wrapped at less
_LONGEST_TITLE = 8  # tokens
_SHORTEST_LOUD = 3  # words; more of them in capitals are no name
_BULLETS = frozenset("-*\u2022\u2023\u2013\u2014\u00b7>\u25cf\u25aa\u2043")
_FINISHING = frozenset(".!?")
_PARTING = frozenset(",;:")


class Cell(NamedTuple):
    """A half-open range of tokens, how many code points it covers, and whether a tab stands before it."""

    start: int
    end: int
    size: int
    after_tab: bool


def has_layout(text: str) -> bool:
    """Say whether a text holds a line end, a tab or a wide gap at all."""
    if text.isascii():  # the usual case, several times as fast
        return "   " in text or _LINE_END_OR_TAB.search(text) is not None
    return _BREAK.search(text) is not None


def layout_ends(text: str, tokens: Sequence[Token], start: int, end: int) -> list[int]:
    """Return where sentences end within a paragraph, the tokens start to end, by its layout alone.

    A tab always ends one. The end of a line or a wide gap does so before a capital, a digit or a bullet, where the
    cells around it are a list: three short ones in a row, or a short one before a title such as "Sales Manager".
    """
    cells = _cells(text, tokens, start, end)
    if len(cells) == 1:
        return []
    kinds = [_Kind(tokens, cell) for cell in cells]
    wrapped = max(cell.size for cell in cells)
    words_alone = 2 * sum(kind.num_words <= 1 for kind in kinds) > len(kinds) and any(kind.is_inner for kind in kinds)
    run_of = _runs(kinds)
    ends = []
    for number, (before, after) in enumerate(pairwise(kinds), 1):
        cell = cells[number]
        if cell.after_tab or after.is_bullet:
            ends.append(cell.start)
        elif not (words_alone or after.is_lower or before.is_lower or before.is_long):
            fits = before.size + 1 + after.first_size <= wrapped
            if before.goes_on or (before.is_prose and not before.is_finished and not fits):
                continue  # the next word had no room on this line
            if run_of[number] >= 3 or after.is_title or after.is_starter or before.is_finished:
                ends.append(cell.start)
    return ends


class _Kind:
    """What a cell looks like."""

    def __init__(self, tokens: Sequence[Token], cell: Cell) -> None:
        words = [token.text for token in tokens[cell.start : cell.end]]
        letters = [word for word in words if word[0].isalpha()]
        first = next((word for word in words if word[0].isalnum()), "")
        self.size = cell.size
        self.first_size = len(words[0])
        self.num_words = len(letters)
        is_loud = len(letters) > _SHORTEST_LOUD and all(word.isupper() for word in letters)
        self.is_prose = cell.size >= _SHORTEST_LINE and (
            is_loud or any(word[0].islower() and word not in SMALL_WORDS for word in letters)
        )
        self.is_long = cell.size > _LONGEST_CELL
        self.is_lower = words[0][0].islower() or (not words[0][0].isalnum() and words[0][0] in ",;.!?)]}")
        self.is_bullet = len(words) > 2 - (words[0] in _BULLETS) and (
            words[0] in _BULLETS or (words[0].isdecimal() and words[1] in (".", ")"))
        )
        self.is_inner = self.is_lower or (len(words) == 1 and words[0].lower() in SMALL_WORDS)
        self.is_starter = words[0] in STARTERS
        self.is_finished = words[-1][-1] in _FINISHING and words[-1] not in NEVER_LAST
        # After a comma, names are apart anyway, and what stands around them helps to know them.
        self.goes_on = words[-1] in SMALL_WORDS or words[-1] in NEVER_LAST or words[-1] in _PARTING
        self.is_title = (
            bool(first)
            and len(words) <= _LONGEST_TITLE
            and all(not word[0].islower() or word in SMALL_WORDS for word in letters)
        )


def _runs(kinds: Sequence[_Kind]) -> list[int]:
    """Return for each cell how many cells in a row, it among them, are short and do not begin in lower case."""
    listed = [not (kind.is_lower or kind.is_long) for kind in kinds]
    runs = [0] * len(kinds)
    start = 0
    for place in range(len(kinds) + 1):
        if place == len(kinds) or not listed[place]:
            runs[start:place] = [place - start] * (place - start)
            start = place + 1
    return runs


def _cells(text: str, tokens: Sequence[Token], start: int, end: int) -> list[Cell]:
    cells: list[Cell] = []
    first, after_tab = start, False
    for place in range(start + 1, end + 1):
        if place < end:
            gap_start, gap_end = tokens[place - 1].end, tokens[place].start
            if gap_start == gap_end or not _BREAK.search(text, gap_start, gap_end):
                continue
        cells.append(Cell(first, place, tokens[place - 1].end - tokens[first].start, after_tab))
        if place < end:
            first, after_tab = place, "\t" in text[gap_start:gap_end] and "\n" not in text[gap_start:gap_end]
    return cells
