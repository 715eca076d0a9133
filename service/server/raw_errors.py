"""Answers to requests that never reach the app: no valid HTTP, or more than the process can take."""

import functools
import re
import secrets
import time
from http import HTTPStatus

import msgspec
from gunicorn.http import errors as http_errors

from service.errors import MalformedJsonError, RequestError
from service.problems import CONTENT_TYPE, problem_of_code

_SENTENCES: dict[type[Exception], str] = {
    http_errors.ExpectationFailed: "Of Expect only 100-continue is understood.",
    http_errors.UnsupportedTransferCoding: "Of Transfer-Encoding only chunked is understood.",
    http_errors.LimitRequestLine: "The first line of the request is too long.",
    http_errors.LimitRequestHeaders: "The headers of the request are too many or too long.",
}
_HEAD_END = b"\r\n\r\n"
_LONGEST_HEAD = 4096
_PLAIN = re.compile(rb"POST /v\d/[!-~]* HTTP/1\.1\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d{1,9})(?=\r\n)", re.IGNORECASE)
_ODD = re.compile(rb"\r\n(?:transfer-encoding|expect|connection):", re.IGNORECASE)


def no_valid_http(error: Exception) -> MalformedJsonError:
    """Return the error for what the parser of requests refuses."""
    return MalformedJsonError(_SENTENCES.get(type(error), "The request is not valid HTTP."))


def refusal(error: RequestError, *, arrived_at: float, keep_alive: bool = False) -> bytes:
    """Return a whole answer with the same shape of error as everything else; `arrived_at` is monotonic."""
    head, body = _fixed_parts(error.code, error.detail, error.retry_after_s, keep_alive)
    total_ms = 1000 * (time.monotonic() - arrived_at)
    timing = f"Server-Timing: queue;dur=0.000, compute;dur=0.000, total;dur={total_ms:.3f}"
    return b"%b%b\r\nX-Request-Id: %b\r\n\r\n%b" % (head, timing.encode(), secrets.token_hex(8).encode(), body)


@functools.lru_cache(maxsize=64)
def _fixed_parts(code: str, detail: str, retry_after_s: int | None, keep_alive: bool) -> tuple[bytes, bytes]:
    """Return what the same refusals have in common: a flooded process makes ten thousand of them a second."""
    problem = problem_of_code(code, detail)
    body = msgspec.json.encode(problem)
    retry = "" if retry_after_s is None else f"Retry-After: {retry_after_s}\r\n"
    head = (
        f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\n"
        f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n"
        f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n{retry}"
    )
    return head.encode(), body


def is_whole_post(data: bytes) -> bool:
    """Say whether some bytes are one POST of the plainest kind and nothing else, so that it may be refused unread.

    Under ten times the load that a process can take, even reading what is going to be refused would take most of it.
    """
    end = data.find(_HEAD_END, 0, _LONGEST_HEAD) + len(_HEAD_END)
    return end >= len(_HEAD_END) and len(data) == end + _length_of_plain(data[:end])


@functools.lru_cache(maxsize=256)
def _length_of_plain(head: bytes) -> int:
    """Return the length of the body that a plain head announces; -1 when it is not plain."""
    length = _LENGTH.search(head)
    if not _PLAIN.match(head) or length is None or head.lower().count(b"content-length") > 1 or _ODD.search(head):
        return -1
    return int(length[1])
