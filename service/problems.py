"""Errors as RFC 9457 problems: the one renderer of this project's own routes."""

import logging
from collections.abc import Sequence

import msgspec
from werkzeug.exceptions import HTTPException

from seqserve.errors import FieldError, InvalidRequestError, NotFoundError, RequestError
from seqserve.service.answers import Answer
from seqserve.service.context import exchange
from seqserve.service.errors import (
    KINDS,
    ErrorKind,
    InternalError,
    MalformedJsonError,
    MethodNotAllowedError,
    PayloadTooLargeError,
    UnauthorizedError,
    UnsupportedMediaTypeError,
)
from seqserve.service.schemas.problems import Problem, ProblemField

CONTENT_TYPE = "application/problem+json"
_BY_STATUS: dict[int, type[RequestError]] = {
    400: MalformedJsonError,
    404: NotFoundError,
    405: MethodNotAllowedError,
    413: PayloadTooLargeError,
    415: UnsupportedMediaTypeError,
}

logger = logging.getLogger("seqserve")


def problem_of(error: RequestError) -> Problem:
    """Return the body of an error's answer."""
    return problem_of_code(error.code, error.detail, error.fields)


def problem_of_code(code: str, detail: str, fields: Sequence[FieldError] = ()) -> Problem:
    """Return the body of the answer to an error of this code."""
    kind = KINDS[code]
    return Problem(
        type=f"urn:seqserve:problem:{code}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        code=code,
        errors=[ProblemField(pointer=field.pointer, detail=field.detail) for field in fields],
    )


def render(error: RequestError) -> Answer:
    """Return the answer to a request that failed with `error`."""
    here = exchange()
    problem = problem_of(error)
    here.service.telemetry.count_rejected(error.code)
    answer = Answer(msgspec.json.encode(problem), status=problem.status, content_type=CONTENT_TYPE)
    if error.retry_after_s is not None:
        answer.headers.append(("Retry-After", str(error.retry_after_s)))
    if isinstance(error, UnauthorizedError):
        answer.headers.append(("WWW-Authenticate", "Bearer"))
    if isinstance(error, UnsupportedMediaTypeError):
        answer.headers += [("Accept", "application/json"), ("Accept-Encoding", "gzip, deflate")]
    if isinstance(error, InternalError):
        cause = error.__cause__ or error
        method, path = here.environ["REQUEST_METHOD"], here.environ["PATH_INFO"]
        logger.error("%s %s failed, request %s", method, path, here.request_id, exc_info=cause)
    return answer


def render_http(error: HTTPException) -> Answer:
    """Return the answer to what the router refuses: unknown addresses, wrong methods."""
    status = error.code or KINDS["internal"].status
    if status < 400:  # a redirect is no error
        return Answer(b"", status=status, headers=[(name, value) for name, value in error.get_headers()])
    kind = _BY_STATUS.get(status, InvalidRequestError if status < 500 else InternalError)
    answer = render(kind(_sentence(status, kind)))
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        answer.headers.append(("Allow", ", ".join(sorted(allowed))))
    return answer


def render_unexpected(error: Exception) -> Answer:
    """Return the answer to a bug of ours: logged with its cause, told without detail."""
    failure = InternalError("Something failed inside the server; it was logged.")
    failure.__cause__ = error
    return render(failure)


def _sentence(status: int, kind: type[RequestError]) -> str:
    known: ErrorKind = KINDS[kind.code]
    if status in (404, 405):
        environ = exchange().environ
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        return f"{known.title}: {environ['REQUEST_METHOD']} {path[:200]}."
    return f"{known.title}."
