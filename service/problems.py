"""Render errors as RFC 9457 problems."""

import logging
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from werkzeug.exceptions import MethodNotAllowed, NotFound

from seqserve.errors import FieldError, NotFoundError, RequestError
from seqserve.service.answers import Answer
from seqserve.service.context import exchange
from seqserve.service.errors import (
    KINDS,
    InternalError,
    MethodNotAllowedError,
    UnauthorizedError,
    UnsupportedMediaTypeError,
)

CONTENT_TYPE = "application/problem+json"

logger = logging.getLogger("seqserve")


class ProblemField(Struct, kw_only=True):
    """What is wrong with one place of the body."""

    pointer: Annotated[str, Meta(description="JSON Pointer into the body.")]
    detail: str


class Problem(Struct, kw_only=True):
    """An error as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[ProblemField]


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


def render_unmatched(error: NotFound | MethodNotAllowed) -> Answer:
    """Return the answer to an address or a method that no route has."""
    kind = MethodNotAllowedError if isinstance(error, MethodNotAllowed) else NotFoundError
    environ = exchange().environ
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    answer = render(kind(f"{KINDS[kind.code].title}: {environ['REQUEST_METHOD']} {path[:200]}."))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        answer.headers.append(("Allow", ", ".join(sorted(error.valid_methods))))
    return answer


def render_unexpected(error: Exception) -> Answer:
    """Return the answer to a bug: its cause is logged, and the client gets no detail."""
    failure = InternalError("Something failed inside the server; it was logged.")
    failure.__cause__ = error
    return render(failure)
