"""Answers to requests that do not reach the app: they are not valid HTTP, or exceed a limit of the process."""

import functools
import random
import time
from http import HTTPStatus

import msgspec

from seqserve.errors import RequestError
from seqserve.service.problems import CONTENT_TYPE, problem_of_code


def refusal(error: RequestError, *, arrived_at: float, keep_alive: bool = False, more_headers: str = "") -> bytes:
    """Return a whole answer, with the error in the shape of all routes; arrived_at: monotonic."""
    head, body = _fixed_parts(error.code, error.detail, error.retry_after_s, keep_alive)
    total_ms = 1000 * (time.monotonic() - arrived_at)
    timing = f"{more_headers}Server-Timing: queue;dur=0.000, compute;dur=0.000, total;dur={total_ms:.3f}"
    return b"%b%b\r\nX-Request-Id: %b\r\n\r\n%b" % (head, timing.encode(), b"%016x" % random.getrandbits(64), body)


@functools.lru_cache(maxsize=64)
def _fixed_parts(code: str, detail: str, retry_after_s: int | None, keep_alive: bool) -> tuple[bytes, bytes]:
    """Return head and body of equal refusals, cached: an overloaded process sends ten thousand a second."""
    problem = problem_of_code(code, detail)
    body = msgspec.json.encode(problem)
    retry = "" if retry_after_s is None else f"Retry-After: {retry_after_s}\r\n"
    head = (
        f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\n"
        f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n"
        f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n{retry}"
    )
    return head.encode(), body
