"""Run work of the loop in turns: one piece of each client, then the next piece of each.

A client with a thousand pieces gets as many turns as one with a single piece. Every few milliseconds the loop polls
sockets and timers, so that probes and new clients do not wait for all pieces.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

SLICE_S = 0.002
"""Pieces run for this long before the loop polls sockets again."""


class Turns:
    """Pieces of work by client; only for the loop's thread."""

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self._next_slice = loop.timer(0)
        self._waiting: dict[str, deque[Callable[[], object]]] = {}  # clients in the order of their turns
        self._is_scheduled = False

    def add(self, client: str, work: Callable[[], object]) -> None:
        """Call `work`, which must not raise, in the client's turn."""
        waiting = self._waiting.get(client)
        if waiting is None:
            self._waiting[client] = deque((work,))
        else:
            waiting.append(work)
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.run_callback(self._take)

    def _take(self) -> None:
        """Run pieces for SLICE_S seconds."""
        until = time.monotonic() + SLICE_S
        waiting = self._waiting
        while waiting:
            client = next(iter(waiting))
            pieces = waiting.pop(client)
            work = pieces.popleft()
            if pieces:
                waiting[client] = pieces  # last again
            work()
            if time.monotonic() >= until:
                break
        self._is_scheduled = bool(waiting)
        if waiting:
            # A timer, because the loop runs callbacks before it polls sockets.
            self._next_slice.start(self._take)
