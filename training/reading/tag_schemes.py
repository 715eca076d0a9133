"""The tags of a file, understood from all of them together: prefixes in any spelling, or labels without prefixes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from seqserve.tagger.tags import OUTSIDE
from seqserve.training.reading.lines import TextError

SCHEMES = "BIO, IOB1, IOE, BIOES, BMES, BMEWO or BILOU, written as B-PER, B_PER or b-per"
"""Schemes of prefixes that are read, for messages."""

_LETTERS = "BIESMLUW"
_PREFIXED = tuple(
    (example, re.compile(rf"([{letters}]){separator}(.+)"))
    for letters, name in ((_LETTERS, "B{}PER"), (_LETTERS.lower(), "b{}per"))
    for separator, example in (("-", name.format("-")), ("_", name.format("_")))
)
_BARE_PREFIX = re.compile(rf"[{_LETTERS}][-_]?", re.IGNORECASE)
_READ_AS = str.maketrans("LUW", "ESS")  # the last and the only token of BILOU and BMEWO, by their letters in BIOES
_OUTSIDE_MARKS = (OUTSIDE, OUTSIDE.lower(), "_")
_MISC_NAMES = frozenset({"ner", "ne", "entity"})


@dataclass(frozen=True)
class Tags:
    """What the values of a column stand for.

    tag_of: the tag of each value, as `spans_from_tags` reads it, upper case and hyphen; scheme: its name, for people.
    """

    tag_of: Mapping[str, str]
    scheme: str


def understand_tags(places: Mapping[str, str]) -> Tags:
    """Return what the distinct values of a file's tags stand for.

    A label may begin like a tag of another spelling (`B_cell`, `work-of-art`): a spelling holds for all values or for
    none. Without prefixes, neighbours of the same label are one span.
    places: each value and where it stands first. Raises TextError, beginning with the place, for a value that is no
    tag.
    """
    outside = next((mark for mark in _OUTSIDE_MARKS if mark in places), None)
    marked = {} if outside is None else {outside: OUTSIDE}
    values = [value for value in places if value != outside]
    if not values:
        return Tags(marked, "no spans")
    for example, pattern in _PREFIXED:
        found = {value: match for value in values if (match := pattern.fullmatch(value))}
        letters = {match[1].upper() for match in found.values()}
        if len(found) < len(values) and len(letters) > 1 and letters & {"B", "I"}:
            raise _no_tag(next(value for value in values if value not in found), places)
        # Two letters of which none begins a span (S-Bahn, U-Bahn) are those of labels.
        if len(found) == len(values) and (len(letters) == 1 or letters & {"B", "I"}):
            tags = {value: f"{match[1].upper().translate(_READ_AS)}-{match[2]}" for value, match in found.items()}
            spelling = "" if example == "B-PER" else f", written as {example}"
            return Tags(marked | tags, _name(letters) + spelling)
    for value in values:
        if outside is None or not value.strip() or _BARE_PREFIX.fullmatch(value):
            raise _no_tag(value, places)
    return Tags(marked | {value: f"I-{value}" for value in values}, "labels without prefixes")


def tags_in_misc(values: Mapping[str, str], path: object) -> dict[str, str] | None:
    """Return the tag in each value of CoNLL-U's column MISC, O where it has none; None if the column is no MISC.

    The tags are of the one key whose values are all tags, or that is named NER, NE or Entity.
    values: each value and where it stands first. Raises TextError when there is no such key or more than one.
    """
    fields = {value: dict(part.split("=", 1) for part in value.split("|") if "=" in part) for value in values}
    if not any(fields.values()):
        return None
    found: dict[str, set[str]] = {}
    for each in fields.values():
        for key, value in each.items():
            found.setdefault(key, set()).add(value)
    keys = [key for key, each in found.items() if key.lower() in _MISC_NAMES] or [
        key for key, each in found.items() if any(_are_tags(each, pattern) for _, pattern in _PREFIXED)
    ]
    if len(keys) != 1:
        shown = ", ".join(keys) or "none"
        raise TextError(f"{path}: one key of column MISC must hold the tags ({SCHEMES}); that is true of {shown}")
    return {value: each.get(keys[0], OUTSIDE) for value, each in fields.items()}


def _are_tags(values: set[str], pattern: re.Pattern[str]) -> bool:
    return values != {OUTSIDE} and all(value == OUTSIDE or pattern.fullmatch(value) for value in values)


def _name(letters: set[str]) -> str:
    for marks, name in (("LU", "BILOU"), ("W", "BMEWO"), ("M", "BMES"), ("S", "BIOES")):
        if letters & set(marks):
            return name
    if "E" in letters:
        return "BIOES" if "B" in letters else "IOE"
    return "BIO" if "B" in letters else "IO"


def _no_tag(value: str, places: Mapping[str, str]) -> TextError:
    return TextError(
        f"{places[value]}: {value!r} is not a tag: those of a file are O and all of one scheme ({SCHEMES}), or O and "
        "labels without prefixes"
    )
