"""Work of the loop that waits for its turn: one piece of each client, then the next of each, in short spells.

A client with a thousand requests on hand gets as many turns as one with a single request. Between two spells the loop
looks at sockets and timers, so that neither probes nor other clients wait for all that is on hand.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

SPELL_S = 0.002
"""How long turns are taken before the loop looks at sockets again."""


class Turns:
    """Pieces of work by client; `add` may be called from the loop's thread only."""

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self._next_spell = loop.timer(0)
        self._waiting: dict[str, deque[Callable[[], object]]] = {}  # clients in the order of their turns
        self._is_scheduled = False

    def add(self, client: str, work: Callable[[], object]) -> None:
        """Let a client's work, which must not raise, be done in its turn."""
        waiting = self._waiting.get(client)
        if waiting is None:
            self._waiting[client] = deque((work,))
        else:
            waiting.append(work)
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.run_callback(self._take)

    def _take(self) -> None:
        """Take turns for a spell."""
        until = time.monotonic() + SPELL_S
        waiting = self._waiting
        while waiting:
            client = next(iter(waiting))
            pieces = waiting.pop(client)
            work = pieces.popleft()
            if pieces:
                waiting[client] = pieces  # at the end of the line
            work()
            if time.monotonic() >= until:
                break
        self._is_scheduled = bool(waiting)
        if waiting:
            # Not as a callback, which would be run before the loop looks at sockets.
            self._next_spell.start(self._take)
