"""Connections that stall: half a header, half a body, or one byte a second. A closed one is opened again."""

import itertools
import random
import socket
import threading
from types import TracebackType

_KINDS = ("half a header", "half a body", "one byte a second")
_HEAD = b"POST /v1/tag HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n"
_HALF_HEADER = _HEAD[:70]
_HALF_BODY = _HEAD + b"\r\n" + b'{"text": "' + 490 * b"a"
_EVERY_S = 1.0
_CONNECT_LIMIT_S = 5.0


class Staller:
    """Holds `size` stalled connections from `with` to its end, a third of each kind."""

    def __init__(self, port: int, size: int) -> None:
        self.num_closed = 0
        """Connections that the server has ended."""
        self.num_failed = 0
        """Connections that could not be opened."""
        self._port = port
        self._kinds = list(itertools.islice(itertools.cycle(_KINDS), size))
        self._held: dict[int, tuple[socket.socket, int]] = {}  # by place: the connection and the bytes that it sent
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Staller":
        for place in range(len(self._kinds)):
            self._open(place)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        for held, _ in self._held.values():
            held.close()

    def _run(self) -> None:
        # Spread over the second: 67 bytes at one instant would be a burst, not stalled clients.
        places = list(range(len(self._kinds)))
        random.Random(1).shuffle(places)
        for place in itertools.cycle(places):
            if self._stop.wait(_EVERY_S / len(places)):
                return
            self._look_at(place)

    def _look_at(self, place: int) -> None:
        if place not in self._held:
            self._open(place)
            return
        connection, num_sent = self._held[place]
        try:
            if connection.recv(4096) == b"":
                self._reopen(place)
                return
        except BlockingIOError:
            pass
        except OSError:
            self._reopen(place)
            return
        if self._kinds[place] == "one byte a second":
            try:
                connection.send(_HALF_BODY[num_sent : num_sent + 1])
                self._held[place] = connection, num_sent + 1
            except OSError:
                self._reopen(place)

    def _reopen(self, place: int) -> None:
        self.num_closed += 1
        self._held.pop(place)[0].close()
        self._open(place)

    def _open(self, place: int) -> None:
        start = {"half a header": _HALF_HEADER, "half a body": _HALF_BODY, "one byte a second": b"P"}[
            self._kinds[place]
        ]
        try:
            connection = socket.create_connection(("127.0.0.1", self._port), timeout=_CONNECT_LIMIT_S)
            connection.sendall(start)
            connection.setblocking(False)
        except OSError:
            self.num_failed += 1
            return
        self._held[place] = connection, len(start)
