"""Everything that can go wrong with a request, and the one table that maps it to HTTP."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from seqserve.errors import SeqserveError


class FieldError(NamedTuple):
    """What is wrong with one place of the body; `pointer` is a JSON Pointer (RFC 6901)."""

    pointer: str
    detail: str


class RequestError(SeqserveError):
    """A request that cannot be answered; the message is one sentence for the client."""

    code: ClassVar[str] = "internal"

    def __init__(self, detail: str, fields: Sequence[FieldError] = (), *, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields = tuple(fields)
        self.retry_after_s = retry_after_s


class MalformedJsonError(RequestError):
    code = "malformed_json"


class UnauthorizedError(RequestError):
    code = "unauthorized"


class NotFoundError(RequestError):
    code = "not_found"


class ModelNotFoundError(NotFoundError):
    code = "model_not_found"


class MethodNotAllowedError(RequestError):
    code = "method_not_allowed"


class TaskMismatchError(RequestError):
    code = "task_mismatch"


class PayloadTooLargeError(RequestError):
    code = "payload_too_large"


class UnsupportedMediaTypeError(RequestError):
    code = "unsupported_media_type"


class InvalidRequestError(RequestError):
    code = "invalid_request"


class TextTooLongError(InvalidRequestError):
    code = "text_too_long"


class TooManyTextsError(InvalidRequestError):
    code = "too_many_texts"


class InternalError(RequestError):
    code = "internal"


class UnavailableError(RequestError):
    """Not now: carries after how many seconds another try makes sense."""


class OverloadedError(UnavailableError):
    code = "overloaded"


class ShuttingDownError(UnavailableError):
    code = "shutting_down"


class NotReadyError(UnavailableError):
    code = "not_ready"


class DeadlineExceededError(RequestError):
    code = "deadline_exceeded"


def pointer_to(*steps: str | int) -> str:
    """Return the JSON Pointer (RFC 6901) of a place: ("text", 3) is "/text/3"."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def invalid(detail: str, *steps: str | int) -> InvalidRequestError:
    """Return the error for one place of the body: `invalid("...", "text", 3)` is about "/text/3"."""
    pointer = pointer_to(*steps)
    return InvalidRequestError(f"{pointer}: {detail}", [FieldError(pointer, detail)])


def too_long(detail: str, *steps: str | int) -> TextTooLongError:
    """Return the error for texts of too many tokens, by their place in the body as `invalid` takes it."""
    pointer = pointer_to(*steps)
    return TextTooLongError(f"{pointer}: {detail}", [FieldError(pointer, detail)])


class ErrorKind(NamedTuple):
    """How one code looks over HTTP."""

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
