"""Errors of the server itself, and the table that maps the code of every error to HTTP."""

from typing import NamedTuple

from seqserve.errors import RequestError


class MalformedJsonError(RequestError):
    """The body is not JSON."""


class UnauthorizedError(RequestError):
    """Keys are set, and the request has none of them."""


class MethodNotAllowedError(RequestError):
    """The address exists, but does not answer this method."""


class PayloadTooLargeError(RequestError):
    """The body is larger than `max_body_bytes`."""


class UnsupportedMediaTypeError(RequestError):
    """The body has a type or an encoding that is not accepted."""


class InternalError(RequestError):
    """The server has a bug; the cause is logged, and the client does not see it."""


class OverloadedError(RequestError):
    """A queue, or a client's share of it, is full."""


class ShuttingDownError(RequestError):
    """The server is draining."""


class NotReadyError(RequestError):
    """A model is still being opened."""


class DeadlineExceededError(RequestError):
    """The answer would come after the request's deadline."""


def body_too_large(max_bytes: int) -> PayloadTooLargeError:
    """Return the error for a body of more bytes than a request may have."""
    return PayloadTooLargeError(f"The body has more than {max_bytes} bytes (max_body_bytes).")


class ErrorKind(NamedTuple):
    """Status and title of one error code."""

    status: int
    title: str


KINDS: dict[str, ErrorKind] = {
    "malformed_json": ErrorKind(400, "The request is not well-formed"),
    "unauthorized": ErrorKind(401, "A valid API key is needed"),
    "not_found": ErrorKind(404, "There is nothing at this address"),
    "model_not_found": ErrorKind(404, "There is no such model"),
    "method_not_allowed": ErrorKind(405, "This address does not answer that method"),
    "task_mismatch": ErrorKind(409, "The model cannot do this"),
    "payload_too_large": ErrorKind(413, "The body is too large"),
    "unsupported_media_type": ErrorKind(415, "The body has an unsupported type or encoding"),
    "invalid_request": ErrorKind(422, "The request is not acceptable"),
    "text_too_long": ErrorKind(422, "A text has too many tokens"),
    "too_many_texts": ErrorKind(422, "The request has too many texts"),
    "internal": ErrorKind(500, "The server failed"),
    "overloaded": ErrorKind(503, "The server has too much to do"),
    "shutting_down": ErrorKind(503, "The server is shutting down"),
    "not_ready": ErrorKind(503, "The server is not ready yet"),
    "deadline_exceeded": ErrorKind(504, "The answer took too long"),
}
"""Status and title of each error code; the codes are part of the HTTP contract."""
