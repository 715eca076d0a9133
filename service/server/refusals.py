"""Answer requests that do not reach the app: they are not valid HTTP, or exceed a limit of the process."""

import functools
import random
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec
from gevent.hub import get_hub
from greenlet import greenlet  # type: ignore[import-untyped]

from seqserve.errors import RequestError
from seqserve.service.errors import OverloadedError
from seqserve.service.problems import CONTENT_TYPE, problem_of_code
from seqserve.service.server.answer_writer import AnswerWriter
from seqserve.service.server.held_bytes import HeldBytes
from seqserve.service.server.room import Room

PAUSE_S = 0.5
"""Delay of a refusal for a client that has its share: some clients repeat a request ten thousand times a second."""


class Refuser:
    """Sends refusals; called by the loop.

    end: called after each refusal, with whether another request may follow, or None when the client has left.
    """

    def __init__(self, socket: Any, writer: AnswerWriter, held: HeldBytes, end: Callable[[bool | None], None]) -> None:
        self._socket = socket
        self._writer = writer
        self._held = held
        self._end = end
        self._pause: Any = None

    def refuse(self, error: RequestError, room: Room, *, arrived_at: float, keeps_open: bool) -> None:
        """Send an error; PAUSE_S later to a client that has its share while other clients use the process."""
        data = self.answer_of(error, room, arrived_at=arrived_at, keep_alive=keeps_open)
        if isinstance(error, OverloadedError) and room.has_its_share(self._held.client):
            self._pause = get_hub().loop.timer(PAUSE_S)
            self._pause.start(self._send, data, keeps_open)
        else:
            self._send(data, keeps_open)

    def answer_of(self, error: RequestError, room: Room, *, arrived_at: float, keep_alive: bool = False) -> bytes:
        """Return the whole answer."""
        limits = room.rate_limit(self._held.client, error) if isinstance(error, OverloadedError) else ""
        return refusal(error, arrived_at=arrived_at, keep_alive=keep_alive, more_headers=limits)

    def _send(self, data: bytes, keeps_open: bool) -> None:
        try:
            num_sent = self._socket.send(data)
        except BlockingIOError:
            num_sent = 0
        except OSError:  # also when our side was closed meanwhile
            self._end(None)
            return
        if num_sent == len(data):
            self._end(keeps_open)
        else:  # a greenlet waits until the client reads its refusals
            hub = get_hub()
            hub.loop.run_callback(greenlet(self._send_rest, hub).switch, data[num_sent:], keeps_open)

    def _send_rest(self, data: bytes, keeps_open: bool) -> None:
        try:
            self._writer.send(data)
        except OSError:
            self._end(None)
        else:
            self._end(keeps_open)


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
