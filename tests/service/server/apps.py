"""Small WSGI apps and requests to them, for tests of a connection inside a loop."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

from gevent.event import Event

from seqserve.service.context import REFUSED
from tests.service.engine.test_event_loop import in_a_loop

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
SMALL = HEAD + b"Content-Length: 2\r\n\r\nhi"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
KEYS: dict[str, Any] = {"api_keys": ("right",)}


def in_loop(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test in a greenlet of a loop."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        in_a_loop(lambda: test(*args, **kwargs))

    return run


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer with path, body and, where the request was refused, the error's code."""
    error = environ.get(REFUSED)
    start_response("200 OK" if error is None else "401 Unauthorized", [])
    code = "" if error is None else error.code
    return [f"<{environ['PATH_INFO']} {environ['wsgi.input'].read().decode()}{code}>".encode()]


def streamed(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [])
    return iter([b"one", b"", b"two"])


class Slow:
    """Answers a request when it is told to."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.may_answer = Event()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.begun.append(environ["PATH_INFO"])
        self.may_answer.wait()
        return echo(environ, start_response)
