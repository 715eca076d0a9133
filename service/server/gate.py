"""Decide from a request's head, before its body is read, who its client is and whether it is accepted."""

from typing import Any

from seqserve.errors import RequestError
from seqserve.service.server.held_bytes import HeldBytes
from seqserve.service.server.host import Host
from seqserve.service.server.request_parser import RequestParser, body_too_large
from seqserve.service.server.room import Room

SMALL_BODY_BYTES = 16 * 1024
"""Bodies up to this size are always read, those of refused requests too, so that their connections can go on."""


def check_head(parser: RequestParser, host: Host, held: HeldBytes, *, for_operators: bool) -> RequestError | None:
    """Find the client of a request; return the error with which its head is refused, or None."""
    environ, length = parser.environ, parser.content_length or 0
    assert environ is not None, "the head is complete"
    try:
        if not for_operators and (client := host.clients.client_of(environ)) != held.client:
            held.belong_to(client)
        if length > host.settings.max_body_bytes:
            raise body_too_large(host.settings.max_body_bytes)
        if is_for_models(environ, for_operators=for_operators) and not has_room(host.room, held.client, length):
            raise host.room.overload(held.client)
        if length > SMALL_BODY_BYTES:
            held.check(length)
    except RequestError as error:
        return error
    return None


def is_for_models(environ: dict[str, Any] | None, *, for_operators: bool) -> bool:
    """Return whether limits of requests apply."""
    return environ is not None and environ["REQUEST_METHOD"] == "POST" and not for_operators


def has_room(room: Room, client: str, num_bytes: int) -> bool:
    """Return whether a client's request of this size is accepted now."""
    return room.has_room(client) and not room.is_early(client, num_bytes)
