"""Connections of a hostile client: what they send, how they read, and a loop of one thread that drives them.

It runs in a process of its own, on the same cores as the server: what the loop takes of them is missing to the server,
as it would not be with a client on another machine.
"""

import errno
import heapq
import itertools
import resource
import select
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

SOURCE = "127.0.0.2"
"""The address that hostile and greedy clients come from; honest ones come from 127.0.0.1."""

_IN, _OUT = select.EPOLLIN, select.EPOLLOUT
_PIECE_BYTES = 256 * 1024
_SMALL_BUFFER_BYTES = 4096
_CONNECTING = (0, errno.EINPROGRESS)
_BIND_ADDRESS_NO_PORT = 24  # of linux/in.h; the module socket names it from Python 3.12 on
_RESET = struct.pack("ii", 1, 0)
_TICK_S = 0.02
_RETRY_S = 0.05
_STATUS = slice(9, 12)  # of "HTTP/1.1 200 OK"


class Reading(StrEnum):
    """How a hostile client reads answers; one that never or slowly reads keeps its own buffer small."""

    ALL = "all"
    NEVER = "never"
    SLOWLY = "slowly"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Hostility:
    """What one hostile client does on each of its connections.

    data: bytes that are sent; again and again without a pause when `repeats`, else once a connection. A connection that
    ends is opened again after `pause_s`. The connections are opened in turn, `opens_per_s` of them a second at most.
    slow_bytes_per_s: of each connection that reads slowly; late_s: how long one that reads late waits first.
    hangs_up: each connection is closed as soon as it is made, every second one by a reset.
    keys: the server accepts requests with a key only.
    """

    name: str
    data: bytes = b""
    connections: int = 1
    reading: Reading = Reading.ALL
    repeats: bool = False
    hangs_up: bool = False
    keys: bool = False
    pause_s: float = 0.0
    opens_per_s: float = 4000.0
    slow_bytes_per_s: float = 20_000.0
    late_s: float = 2.0


@dataclass(slots=True)
class Deeds:
    """What a hostile client did: `statuses` counts the first answer of each connection, all sizes are in bytes."""

    num_opened: int = 0
    num_failed: int = 0
    num_ended: int = 0
    most_open: int = 0
    num_sent: int = 0
    num_read: int = 0
    statuses: Counter[str] = field(default_factory=Counter)

    def numbers(self) -> dict[str, int]:
        """Return everything as plain numbers."""
        names = ("num_opened", "num_failed", "num_ended", "most_open", "num_sent", "num_read")
        counts: dict[str, int] = {name: getattr(self, name) for name in names}
        return counts | {f"status_{status}": number for status, number in sorted(self.statuses.items())}


def attack(hostility: Hostility, port: int, seconds: float, *, stop: threading.Event | None = None) -> Deeds:
    """Do what is hostile for that long, or until `stop` is set, then close everything."""
    until = time.monotonic() + seconds

    def is_over() -> bool:
        return time.monotonic() >= until or (stop is not None and stop.is_set())

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        return _hang_up(hostility, port, is_over) if hostility.hangs_up else _Attack(hostility, port).run(is_over)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(port: int, *, small: bool = False) -> socket.socket:
    """Begin a non-blocking connection from SOURCE; small: the kernel takes little of what comes. Raises OSError."""
    client = socket.socket()
    try:
        client.setblocking(False)
        if small:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER_BYTES)
        # The port is chosen on connecting, so that more connections are possible than there are local ports.
        client.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
        client.bind((SOURCE, 0))
        code = client.connect_ex(("127.0.0.1", port))
        if code not in _CONNECTING:
            raise OSError(code, errno.errorcode.get(code, ""))
    except OSError:
        client.close()
        raise
    return client


def _hang_up(hostility: Hostility, port: int, is_over: Callable[[], bool]) -> Deeds:
    deeds = Deeds(most_open=hostility.connections)
    for number in itertools.count():
        if is_over():
            break
        try:
            client = connect(port)
        except OSError:
            deeds.num_failed += 1
            time.sleep(_RETRY_S)
            continue
        deeds.num_opened += 1
        if number % 2:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        client.close()
    return deeds


@dataclass(slots=True, eq=False)
class _Held:
    """One connection: how much of the data it has sent, and since when (monotonic) it may read."""

    socket: socket.socket
    reads_from: float
    reads: bool = False
    num_sent: int = 0
    is_answered: bool = False


class _Attack:
    """All connections of one hostile client."""

    def __init__(self, hostility: Hostility, port: int) -> None:
        self._what = hostility
        self._port = port
        self._deeds = Deeds()
        self._poller = select.epoll()
        self._held: dict[int, _Held] = {}
        self._data = memoryview(hostility.data)
        self._openings = [0.0] * hostility.connections
        """When (monotonic) connections that are not open are to be opened."""
        self._is_small = hostility.reading in (Reading.NEVER, Reading.SLOWLY)

    def run(self, is_over: Callable[[], bool]) -> Deeds:
        """Go on until it is over."""
        now = time.monotonic()
        self._openings = [now + number / self._what.opens_per_s for number in range(self._what.connections)]
        next_tick = now
        try:
            while not is_over():
                now = time.monotonic()
                while self._openings and self._openings[0] <= now:
                    heapq.heappop(self._openings)
                    self._open(now)
                if now >= next_tick:
                    next_tick = now + _TICK_S
                    self._tick(now)
                for descriptor, events in self._poller.poll(_TICK_S):
                    self._turn(self._held[descriptor], events)
        finally:
            self._poller.close()
            for held in self._held.values():
                held.socket.close()
        return self._deeds

    def _open(self, now: float) -> None:
        try:
            client = connect(self._port, small=self._is_small)
        except OSError:
            self._deeds.num_failed += 1
            heapq.heappush(self._openings, now + _RETRY_S)
            return
        self._deeds.num_opened += 1
        waits_s = self._what.late_s if self._what.reading is Reading.LATE else 0.0
        held = _Held(client, now + waits_s, reads=self._what.reading is Reading.ALL)
        self._held[client.fileno()] = held
        self._deeds.most_open = max(self._deeds.most_open, len(self._held))
        self._poller.register(client, (_OUT if self._data else 0) | (_IN if held.reads else 0))

    def _turn(self, held: _Held, events: int) -> None:
        """Let one connection send and read a piece."""
        try:
            if events & (_IN | ~_OUT) and not self._read(held, _PIECE_BYTES):
                self._end(held)
                return
            if events & _OUT:
                self._send(held)
        except OSError:
            self._end(held)

    def _send(self, held: _Held) -> None:
        try:
            num = held.socket.send(self._data[held.num_sent : held.num_sent + _PIECE_BYTES])
        except BlockingIOError:
            return
        self._deeds.num_sent += num
        held.num_sent += num
        if held.num_sent < len(self._data):
            return
        if self._what.repeats:
            held.num_sent = 0
        else:
            self._poller.modify(held.socket, _IN if held.reads else 0)

    def _read(self, held: _Held, num_bytes: int) -> bool:
        """Read what is there; say whether the connection goes on."""
        try:
            data = held.socket.recv(num_bytes)
        except BlockingIOError:
            return True
        if data and not held.is_answered:
            held.is_answered = True
            self._deeds.statuses[data[_STATUS].decode("latin-1")] += 1
        self._deeds.num_read += len(data)
        return bool(data)

    def _tick(self, now: float) -> None:
        """Let those read that do so slowly, or whose time to read has come."""
        if self._what.reading is Reading.SLOWLY:
            num_bytes = max(1, int(self._what.slow_bytes_per_s * _TICK_S))
            for held in list(self._held.values()):
                try:
                    goes_on = self._read(held, num_bytes)
                except OSError:
                    goes_on = False
                if not goes_on:
                    self._end(held)
        elif self._what.reading is Reading.LATE:
            for held in self._held.values():
                if held.reads_from <= now and not held.reads:
                    held.reads = True
                    self._poller.modify(held.socket, _IN)

    def _end(self, held: _Held) -> None:
        self._deeds.num_ended += 1
        self._poller.unregister(held.socket)
        del self._held[held.socket.fileno()]
        held.socket.close()
        heapq.heappush(self._openings, time.monotonic() + self._what.pause_s)
