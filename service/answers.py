"""Make the answers of routes: status, content type and a body, whole or in pieces."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

import msgspec

from seqserve.service.engine.cancellation import Cancellation
from seqserve.service.engine.event_loop import LARGE_TOKENS, in_turn

_ITEMS = 64
"""Items of a long list that are encoded at once: for a few hundred microseconds no other thread runs Python."""

STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
STATUS_LINES[499] = "499 Client Closed Request"


@dataclass(slots=True)
class Answer:
    """The answer to one request."""

    body: bytes | Iterable[bytes]
    status: int = 200
    content_type: str = "application/json"
    headers: list[tuple[str, str]] = field(default_factory=list)


def json_answer(body: msgspec.Struct) -> Answer:
    """Return a struct as JSON; the same struct gives the same bytes."""
    return Answer(msgspec.json.encode(body))


def large_json_answer(body: msgspec.Struct, *, num_items: int, cancellation: Cancellation) -> Answer:
    """Return a struct of about this many items as JSON; many items are encoded in pieces, in another thread."""
    if num_items < LARGE_TOKENS:
        return json_answer(body)
    return in_turn(lambda: Answer(encode_in_pieces(body)), cancellation=cancellation)


def encode_in_pieces(body: msgspec.Struct) -> bytes:
    """Return the same bytes as `msgspec.json.encode`, but let other threads run after every few items of a list.

    The encoder holds the interpreter's lock from the first byte to the last: for 40 MB, a second.
    """
    changed = {}
    for name in body.__struct_fields__:
        value = getattr(body, name)
        if isinstance(value, list) and value:
            changed[name] = msgspec.Raw(_encode_list(value))
    return msgspec.json.encode(msgspec.structs.replace(body, **changed) if changed else body)


def _encode_list(items: list[object]) -> bytes:
    if isinstance(items[0], msgspec.Struct) and any(_has_long_list(item) for item in items):
        return b"[" + b",".join([encode_in_pieces(item) for item in items if isinstance(item, msgspec.Struct)]) + b"]"
    pieces = [msgspec.json.encode(items[at : at + _ITEMS])[1:-1] for at in range(0, len(items), _ITEMS)]
    return b"[" + b",".join(pieces) + b"]"


def _has_long_list(item: object) -> bool:
    if not isinstance(item, msgspec.Struct):
        return False
    values = [getattr(item, name) for name in item.__struct_fields__]
    return any(isinstance(value, list) and len(value) > _ITEMS for value in values)


class WholeBody(list[bytes]):
    """A complete WSGI body, with a function to call once it was sent."""

    def __init__(self, body: bytes, close: Callable[[], None]) -> None:
        super().__init__((body,))
        self.close = close


class PiecedBody:
    """A WSGI body that comes in pieces."""

    def __init__(self, pieces: Iterable[bytes], close: Callable[[], None]) -> None:
        self._pieces = pieces
        self.close = close

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)
