"""One connection of the load generator: bytes out, answers in, nothing that a measurement does not need."""

import errno
import socket
from typing import NamedTuple

from benchmarks.load.plan import Request

_HEAD_END = b"\r\n\r\n"
_received = memoryview(bytearray(262_144))  # of all connections: recv() would allocate as much for each call
_CONNECTING = (0, errno.EINPROGRESS)
_BIND_ADDRESS_NO_PORT = 24  # of linux/in.h; the module socket names it from Python 3.12 on


class Answer(NamedTuple):
    """A whole answer; `closes`: the server will not take another request on this connection."""

    status: int
    body: bytes
    closes: bool


class BrokenConnectionError(Exception):
    """The connection was cut, or what came is no answer."""


class Connection:
    """A non-blocking connection that carries one request at a time; `due` is when that should have been sent.

    source: the address that it comes from; empty takes the one that the kernel chooses.
    """

    __slots__ = ("_data", "_needed", "_rest", "counts", "due", "request", "socket")

    def __init__(self, port: int, source: str = "") -> None:
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source:
            # The port is chosen on connecting, so that more connections are possible than there are local ports.
            self.socket.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
            self.socket.bind((source, 0))
        code = self.socket.connect_ex(("127.0.0.1", port))
        if code not in _CONNECTING:
            self.socket.close()
            raise BrokenConnectionError(f"connecting failed with {errno.errorcode.get(code, code)}")
        self.request: Request | None = None
        self.due = 0.0
        self.counts = False
        self._data = b""
        self._needed = 0  # bytes of the whole answer, once its head is there
        self._rest: bytes | memoryview = b""

    def begin(self, request: Request, due: float) -> None:
        """Take a request; `send` sends it."""
        self.request, self.due = request, due
        self._rest = request.wire

    def send(self) -> bool:
        """Send what the socket takes now; says whether all is sent. Raises BrokenConnectionError."""
        try:
            num_sent = self.socket.send(self._rest)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            raise BrokenConnectionError(str(error)) from error
        if num_sent == len(self._rest):
            self._rest = b""
            return True
        self._rest = memoryview(self._rest)[num_sent:]
        return False

    def receive(self) -> Answer | None:
        """Read what is there; None while the answer is not whole. Raises BrokenConnectionError."""
        try:
            size = self.socket.recv_into(_received)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError as error:
            raise BrokenConnectionError(str(error)) from error
        if not size:
            return self._at_the_end()
        data = self._data + _received[:size] if self._data else bytes(_received[:size])
        if len(data) < self._needed:
            self._data = data
            return None
        answer, self._needed = read_answer(data)
        self._data = b"" if answer else data
        return answer

    def _at_the_end(self) -> Answer:
        head, found, body = self._data.partition(_HEAD_END)
        if found and b"\r\ncontent-length:" not in head.lower() and b"chunked" not in head.lower():
            return Answer(_status_of(head), body, True)
        raise BrokenConnectionError("closed before the answer was whole")


def read_answer(data: bytes) -> tuple[Answer | None, int]:
    """Return the answer that data holds, or None and the number of bytes to wait for (0: not known yet).

    Raises BrokenConnectionError on what is no HTTP/1.1 answer, or more than one.
    """
    end = data.find(_HEAD_END)
    if end < 0:
        return None, 0
    head = data[:end].lower()
    at = head.find(b"\r\ncontent-length:")
    closes = b"\r\nconnection: close" in head
    if at >= 0:
        line_end = head.find(b"\r\n", at + 2)
        needed = end + 4 + int(head[at + 17 : line_end if line_end >= 0 else end])
        if len(data) < needed:
            return None, needed
        if len(data) > needed:
            raise BrokenConnectionError("more came than one answer")
        return Answer(_status_of(data), data[end + 4 :], closes), 0
    if b"\r\ntransfer-encoding: chunked" in head:
        body = _joined_chunks(data[end + 4 :])
        return (None, 0) if body is None else (Answer(_status_of(data), body, closes), 0)
    if _status_of(data) in (204, 304):
        return Answer(_status_of(data), b"", closes), 0
    return None, 0  # its end is the end of the connection


def _joined_chunks(data: bytes) -> bytes | None:
    body: list[bytes] = []
    at = 0
    while (line_end := data.find(b"\r\n", at)) >= 0:
        size = int(data[at:line_end].partition(b";")[0], 16)
        start = line_end + 2
        if len(data) < start + size + 2:
            return None
        if size == 0:
            return b"".join(body)
        body.append(data[start : start + size])
        at = start + size + 2
    return None


def _status_of(data: bytes) -> int:
    if not data.startswith(b"HTTP/1."):
        raise BrokenConnectionError("what came is no HTTP answer")
    return int(data[9:12])
