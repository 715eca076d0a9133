"""Read the texts of one call within limits; the sentences of errors are the same over HTTP and in Python."""

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from typing import Any, NamedTuple, TypeVar

import msgspec
import numpy as np

from seqserve.errors import invalid, too_long, too_many

Row = TypeVar("Row", bound=Sized)
Text = TypeVar("Text")
Place = tuple[str | int, ...]
"""The steps to a text from the top of a call: ("text", 3)."""

_PLACE = re.compile(r" - at `\$(?P<path>[^`]*)`\Z")
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>\d+)\]")
_DETAIL_CHARS = 200
_SURROGATE = re.compile("[\ud800-\udfff]")


class Limits(NamedTuple):
    """The most of one call: texts, tokens of a text, and tokens of all texts together. In Python there are none."""

    max_texts: int = sys.maxsize
    max_tokens: int = sys.maxsize
    max_request_tokens: int = sys.maxsize


def placed(texts: str | Sequence[Text], field: str = "text", *, start: int = 0) -> list[tuple[Any, Place]]:
    """Return the texts of an argument, one or several, each with its place; `start`: the number of the first."""
    if isinstance(texts, str):
        return [(texts, (field,))]
    return [(text, (field, number)) for number, text in enumerate(texts, start)]


def read_texts(
    texts: Sequence[tuple[Text, Place]], read: Callable[[Text, Place], Row], limits: Limits, *, cost: int = 1
) -> list[Row]:
    """Read texts, each with its place, up to the first that is refused; cost: of a token in the queue.

    Raises InvalidRequestError and TextTooLongError.
    """
    rows: list[Row] = []
    total = 0
    for text, place in texts:
        rows.append(read(text, place))
        total += cost * len(rows[-1])
        check_total(total, limits, place[0], cost=cost)
    return rows


def check_number(num_texts: int, limits: Limits, field: str) -> None:
    """Refuse a call without a text or with too many; raises InvalidRequestError and TooManyTextsError."""
    if not num_texts:
        raise invalid("At least one text is needed.", field)
    if num_texts > limits.max_texts:
        raise too_many(f"There are {num_texts} texts; the limit is {limits.max_texts} (max_texts).", field)


def check_length(num_tokens: int, limits: Limits, *steps: str | int) -> None:
    """Refuse a text of more tokens than one may have; raises TextTooLongError."""
    if num_tokens > limits.max_tokens:
        raise too_long(f"This text has more than {limits.max_tokens} tokens (max_tokens).", *steps)


def check_total(num_tokens: int, limits: Limits, *steps: str | int, cost: int = 1) -> None:
    """Refuse more tokens than all texts together may have; raises TextTooLongError."""
    if num_tokens > limits.max_request_tokens:
        times = f", times {cost}," if cost > 1 else ""
        raise too_long(
            f"The texts together have more than {limits.max_request_tokens} tokens{times} (max_queue_tokens): "
            "send fewer at a time.",
            *steps,
        )


def check_row(num_tokens: int, longest: int, *steps: str | int) -> None:
    """Refuse a text that is one row of a model and is empty or too long; raises InvalidRequestError."""
    if not num_tokens:
        raise invalid("This text has no token: nothing can be said of it.", *steps)
    if num_tokens > longest:
        raise too_long(f"This text has more than {longest} tokens, the most that the model takes.", *steps)


def converted(value: object, kind: Any, *steps: str | int) -> Any:
    """Return an argument of a call as the type that the field of a request has; raises InvalidRequestError."""
    try:
        return msgspec.convert(plain(value), kind)
    except msgspec.ValidationError as error:
        detail, path = detail_and_path(str(error))
        raise invalid(shortened(detail), *steps, *path) from error


def plain(value: Any) -> Any:
    """Return an argument as JSON's types: NumPy's numbers and arrays, iterables and subclasses of str become plain."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, msgspec.Struct):  # its constructor checks no types
        return plain(msgspec.structs.asdict(value))
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray | memoryview | Mapping):
        return list(map(plain, value))
    return value


def checked_text(value: object, *steps: str | int) -> str:
    """Return a text that UTF-8 can hold; raises InvalidRequestError."""
    text: str = value if type(value) is str else converted(value, str, *steps)
    if not text.isascii() and (found := _SURROGATE.search(text)):
        raise invalid(f"Character {found.start()} is a lone surrogate, which no text in UTF-8 holds.", *steps)
    return text


def detail_and_path(message: str) -> tuple[str, list[str]]:
    """Split the sentence of msgspec, which may end in "- at `$.text[3]`"."""
    place = _PLACE.search(message)
    steps = _STEP.finditer(place["path"] if place else "")
    detail = message[: place.start()] if place else message
    return detail, [step["name"] if step["name"] is not None else step["index"] for step in steps]


def shortened(detail: str) -> str:
    """Return the start of a detail: msgspec repeats a wrong value in full."""
    return detail if len(detail) <= _DETAIL_CHARS else f"{detail[:_DETAIL_CHARS]}…"
