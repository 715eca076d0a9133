"""Write answers to a client's socket: head and body together, streams as fast as the client reads them."""

import fcntl
import functools
import struct
import sys
import termios
import time
from collections.abc import Iterable
from email.utils import formatdate
from typing import Any

from gevent import Timeout, sleep
from gevent.hub import get_hub

STALL_LIMIT_S = 30.0
"""The connection of a client that reads nothing for this long is closed."""

_LOOK_S = 5.0
_PIECE_BYTES = 256 * 1024
"""Between two pieces of a large answer other greenlets run."""

Headers = list[tuple[str, str]]


class AnswerWriter:
    """Writes the answers of one connection, whose socket is non-blocking; called in a greenlet.

    Sending raises OSError when the client has left or has read nothing for STALL_LIMIT_S.
    """

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self.status = ""
        self.keeps_alive = False
        self._headers: Headers = []
        self._more_headers = ""
        self._wants_body = True
        self._is_old = False

    def begin(self, environ: dict[str, Any], *, keep_alive: bool, more_headers: str = "") -> None:
        """Prepare for the answer to a request; more_headers: header lines in addition to those of the app."""
        self._more_headers = more_headers
        self.keeps_alive = keep_alive
        self._wants_body = environ["REQUEST_METHOD"] != "HEAD"
        self._is_old = environ["SERVER_PROTOCOL"] == "HTTP/1.0"

    def start_response(self, status: str, headers: Headers, exc_info: object = None) -> Any:
        """Keep the head of the answer; WSGI's `start_response`."""
        self.status = status
        self._headers = headers
        return self.send

    @property
    def retry_after_s(self) -> int:
        """The Retry-After of a 503, in seconds; 0 for other answers."""
        if not self.status.startswith("503"):
            return 0
        return next((int(value) for name, value in self._headers if name == "Retry-After"), 0)

    def send_whole(self, body: bytes) -> None:
        """Send an answer with a complete body."""
        head = self._head(f"Content-Length: {len(body)}\r\n")
        self.send(head + body if self._wants_body else head)

    def send_pieces(self, pieces: Iterable[bytes]) -> None:
        """Send an answer whose body comes in pieces, in chunks; to HTTP/1.0 the connection then ends."""
        if self._is_old:
            self.keeps_alive = False
        self.send(self._head("" if self._is_old else "Transfer-Encoding: chunked\r\n"))
        if not self._wants_body:
            return
        for piece in pieces:
            if piece:
                self.send(piece if self._is_old else b"%x\r\n%b\r\n" % (len(piece), piece))
                sleep(0)  # a fast reader must not block the loop
        if not self._is_old:
            self.send(b"0\r\n\r\n")

    def send(self, data: bytes) -> None:
        """Send bytes as fast as the client reads them."""
        socket, begin = self._socket, 0
        if len(data) <= _PIECE_BYTES:
            try:
                begin = socket.send(data)
            except BlockingIOError:
                begin = 0
            if begin == len(data):
                return
        view = memoryview(data)
        while begin < len(data):
            try:
                begin += socket.send(view[begin : begin + _PIECE_BYTES])
                sleep(0)
            except BlockingIOError:
                self._wait_until_read()

    def _wait_until_read(self) -> None:
        """Wait until the socket takes more; raises TimeoutError after STALL_LIMIT_S without progress."""
        hub, unread = get_hub(), self._num_unread()
        writable = hub.loop.io(self._socket.fileno(), 2)
        until = time.monotonic() + STALL_LIMIT_S
        try:
            while True:
                with Timeout(_LOOK_S, False):
                    hub.wait(writable)
                    return
                left = self._num_unread()
                if left < unread:
                    unread, until = left, time.monotonic() + STALL_LIMIT_S
                elif time.monotonic() >= until:
                    raise TimeoutError(f"the client has read nothing for {STALL_LIMIT_S:.0f} s")
        finally:
            writable.close()

    def _num_unread(self) -> int:
        """Return the number of bytes in the kernel that the client has not read; 0 where it is unknown."""
        if sys.platform != "linux":
            return 0
        return int(struct.unpack("i", fcntl.ioctl(self._socket, termios.TIOCOUTQ, b"\0\0\0\0"))[0])

    def _head(self, length: str) -> bytes:
        lines = "".join([f"{name}: {value}\r\n" for name, value in self._headers])
        connection = "keep-alive" if self.keeps_alive else "close"
        head = f"HTTP/1.1 {self.status}\r\nDate: {_date(int(time.time()))}\r\nConnection: {connection}\r\n"
        return f"{head}{lines}{self._more_headers}{length}\r\n".encode("latin-1")


@functools.lru_cache(maxsize=2)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)
