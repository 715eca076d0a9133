"""The wait for a client's next request. What cannot be taken is refused right here, without waking a greenlet.

Under ten times the load that a process can take, most of its wake-ups would be for refusals.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

from gevent.hub import Waiter, get_hub

SEND_TIMEOUT_S = 30.0
"""A client that does not read its answer for so long is given up."""

_READ_BYTES = 65_536


class Arrival:
    """One connection's wait, over and over; `at` is when the first byte came, monotonic.

    `turn_away` is shown what has come, and when, and returns the refusal to send, or b"". It is called by the loop
    itself and must not wait. Outside of `wait` the socket waits for SEND_TIMEOUT_S.
    """

    def __init__(self, socket: Any, turn_away: Callable[[bytes, float], bytes]) -> None:
        self.at = self._idle_since = time.monotonic()
        self._socket = socket
        self._turn_away = turn_away
        self._readable = get_hub().loop.io(socket.fileno(), 1)
        self._waiter: Any = None
        self._unsent = b""

    def wait(self) -> bytes:
        """Return the first bytes of a request; b"" when the client has left, or says nothing when hurried.

        Raises OSError when it has left or does not read its refusals.
        """
        self._idle_since = time.monotonic()
        while not (data := self._next()) and self._unsent:
            unsent, self._unsent = self._unsent, b""
            self._socket.sendall(unsent)
        return data

    def is_idle(self, seconds: float) -> bool:
        """Whether no byte of a request has been there for so long."""
        return self._waiter is not None and time.monotonic() - self._idle_since >= seconds

    def hurry(self) -> None:
        """End a wait unless a request is there or on its way."""
        if self._waiter is not None:
            get_hub().loop.run_callback(self._give_up, self._waiter)

    def close(self) -> None:
        """Wait no more; the socket is not closed."""
        self._readable.close()

    def _next(self) -> bytes:
        waiter = self._waiter = Waiter()
        self._socket.settimeout(0)
        self._readable.start(self._look)
        try:
            data: bytes = waiter.get()
        finally:
            self._waiter = None
            self._readable.stop()
            self._socket.settimeout(SEND_TIMEOUT_S)
        return data

    # Called by the loop.

    def _look(self) -> None:
        waiter, data = self._waiter, self._read()
        if data is None:
            return
        try:
            refusal = self._turn_away(data, self.at)
        except Exception:  # of ours: whoever waits must not wait for ever
            waiter.throw(*sys.exc_info())
            return
        if refusal:
            self._idle_since = self.at
            self._unsent = refusal[self._send(refusal) :]
            if not self._unsent:
                return
            data = b""
        waiter.switch(data)

    def _give_up(self, waiter: Any) -> None:
        if self._waiter is waiter:
            waiter.switch(self._read() or b"")

    def _read(self) -> bytes | None:
        """Return what has come, b"" when the client has left, None when nothing has come."""
        try:
            data: bytes = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            return b""
        self.at = time.monotonic()
        return data

    def _send(self, data: bytes) -> int:
        """Send what the socket takes now; a client that has left is noticed by whoever sends the rest."""
        try:
            num_sent: int = self._socket.send(data)
        except OSError:
            return 0
        return num_sent
