"""Identify the client of a request and decide whether to accept it, from its head, before its body is read."""

from seqserve.errors import RequestError
from seqserve.service.errors import body_too_large
from seqserve.service.server.held_bytes import HeldBytes
from seqserve.service.server.host import Host
from seqserve.service.server.request_parser import RequestParser

SMALL_BODY_BYTES = 16 * 1024
"""Bodies up to this size are read even when the request is refused, so that its connection stays open."""


def check_head(parser: RequestParser, host: Host, held: HeldBytes, *, is_limited: bool) -> RequestError | None:
    """Find the client of a request; return the error with which the request is refused, or None.

    is_limited: whether the limits of requests apply.
    """
    environ, length = parser.environ, parser.content_length or 0
    assert environ is not None, "the head is complete"
    try:
        if not held.is_free and (client := host.clients.client_of(environ)) != held.client:
            held.belong_to(client)
        if length > host.settings.max_body_bytes:
            raise body_too_large(host.settings.max_body_bytes)
        if is_limited and not host.room.accepts(held.client, length):
            raise host.room.overload(held.client)
        if length > SMALL_BODY_BYTES:
            held.check(length)
    except RequestError as error:
        return error
    return None
