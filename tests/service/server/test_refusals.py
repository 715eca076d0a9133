"""Answers to requests that never reach the app."""

import json
import time

from seqserve.service.errors import MalformedJsonError, OverloadedError
from seqserve.service.server.refusals import refusal


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
    data = refusal(MalformedJsonError("The request is not valid HTTP."), arrived_at=time.monotonic())
    assert data.startswith(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n")
    assert b"Retry-After" not in data
