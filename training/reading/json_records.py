"""JSON lines and JSON files as records."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from seqserve.training.reading.lines import TextError, read_raw_lines, read_raw_text

_LISTS = ("annotations", "examples", "documents", "data")
"""Keys under which a file that is one object holds its records."""


def read_json_records(path: Path) -> Iterator[tuple[Any, str]]:
    """Yield each record and its place: the lines of a file of JSON lines, or the items of its one list.

    Raises TextError, naming file and line, for what is no JSON.
    """
    lines = ((number, line) for number, line in enumerate(read_raw_lines(path), 1) if line.strip())
    number, line = next(lines, (0, ""))
    if not number:
        return
    try:
        first = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        first = None
    if first is None or _items(first) is not None:
        yield from _read_whole(path)
        return
    yield first, f"{path}, line {number}"
    for number, line in lines:
        try:
            yield msgspec.json.decode(line), f"{path}, line {number}"
        except (msgspec.DecodeError, RecursionError) as error:
            raise TextError(f"{path}, line {number}: is not JSON: {error}") from None


def is_json(line: str) -> bool:
    """Return whether a line begins a file of JSON: an object, or a list of objects, lists or texts."""
    text = line.strip()
    if text in ("[", "{", "[{", "[["):
        return True
    try:
        return isinstance(msgspec.json.decode(text), dict | list)
    except (msgspec.DecodeError, RecursionError):
        return text.startswith(('{"', '[{"', '[["', '["')) and "\t" not in text


def _read_whole(path: Path) -> Iterator[tuple[Any, str]]:
    text = read_raw_text(path)
    try:
        content = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        place = re.search(r"\(byte (\d+)\)", str(error))
        line = text.encode().count(b"\n", 0, int(place[1])) + 1 if place else 1
        raise TextError(f"{path}, line {line}: is not JSON: {error}") from None
    items = _items(content)
    for number, item in enumerate([content] if items is None else items, 1):
        if item is not None:
            yield item, f"{path}, item {number}"


def _items(content: Any) -> list[Any] | None:
    """Return the records of a value that holds several; None for one that is a record itself."""
    if isinstance(content, list):
        return None if content and isinstance(content[0], str) else content
    if isinstance(content, dict) and not any(isinstance(content.get(key), str | dict) for key in ("text", "data")):
        return next((content[key] for key in _LISTS if _are_records(content.get(key))), None)
    return None


def _are_records(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict | list | None) for each in value)
