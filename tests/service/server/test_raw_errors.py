"""Answers to requests that never reach the app."""

import json
import time

import pytest
from gunicorn.http.errors import InvalidHeader, LimitRequestLine

from service.errors import OverloadedError
from service.server.raw_errors import is_whole_post, no_valid_http, refusal

HEAD = b"POST /v1/tag HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"


def test_a_refusal_is_a_whole_answer() -> None:
    error = OverloadedError("Too much.", retry_after_s=3)
    data = refusal(error, arrived_at=time.monotonic(), keep_alive=True)
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ") for line in lines)
    assert first == "HTTP/1.1 503 Service Unavailable"
    assert (headers["Retry-After"], headers["Connection"]) == ("3", "keep-alive")
    assert int(headers["Content-Length"]) == len(body)
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["X-Request-Id"]
    assert "total;dur=" in headers["Server-Timing"]
    assert json.loads(body)["code"] == "overloaded"


def test_without_keep_alive_the_connection_is_closed() -> None:
    data = refusal(no_valid_http(InvalidHeader("x")), arrived_at=time.monotonic())
    assert data.startswith(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n")
    assert b"Retry-After" not in data


def test_what_the_parser_refuses_is_said() -> None:
    assert no_valid_http(LimitRequestLine(1, 2)).detail == "The first line of the request is too long."
    assert no_valid_http(InvalidHeader("secret")).detail == "The request is not valid HTTP."


@pytest.mark.parametrize(
    ("data", "is_whole"),
    [
        (HEAD + b"\r\n{}", True),
        (HEAD.replace(b"Content-Length", b"content-length") + b"\r\n{}", True),
        (HEAD + b"\r\n{", False),
        (HEAD + b"\r\n{}G", False),
        (HEAD, False),
        (b"", False),
        (HEAD.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n{}", False),
        (HEAD.replace(b"POST", b"GET") + b"\r\n{}", False),
        (HEAD.replace(b"/v1", b"/w1") + b"\r\n{}", False),
        (HEAD.replace(b"Content-Length: 2", b"Content-Length: -2") + b"\r\n{}", False),
        (HEAD.replace(b"Content-Length: 2\r\n", b"") + b"\r\n{}", False),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n{}", False),
        (HEAD + b"Expect: 100-continue\r\n\r\n{}", False),
        (HEAD + b"Connection: close\r\n\r\n{}", False),
        (HEAD + b"Content-Length: 3\r\n\r\n{}", False),
        (HEAD + b"content-length:\t3\r\n\r\n{}", False),
    ],
)
def test_only_the_plainest_requests_are_refused_unread(data: bytes, is_whole: bool) -> None:
    assert is_whole_post(data) is is_whole
