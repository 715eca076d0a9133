"""A client's connection that knows what became of each request, whatever the server does to it."""

import contextlib
import http.client
import json
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.faults.known_answers import KnownAnswer
from benchmarks.load.plan import post

PATIENCE_S = 60.0
"""A request without an answer for so long hangs."""

_CLOSED = 7  # TCP_CLOSE of linux/tcp_states.h
_INFO = struct.Struct("=B23xI")  # tcpi_state and tcpi_unacked of struct tcp_info in linux/tcp.h
_UNAVAILABLE = 503
_HOPELESS = (BrokenPipeError, ConnectionResetError)
Judge = Callable[[KnownAnswer, bytes], bool]


class Outcome(StrEnum):
    """What became of a request.

    It was accepted when its connection was established, also in the listener's backlog. `CLOSED_IDLE` is no loss: the
    server closed a connection that had answered before, and has not read this request, so that a client sends
    it again (RFC 9112, 9.3.1). That is known, not guessed: the end of the connection had arrived before the request
    was sent, or the kernel answered the request with a reset, as it does when nobody has read it.
    """

    RIGHT = "right"
    WRONG = "wrong"  # the right status with other bytes than the answer given alone
    REFUSED = "refused"  # 503 as it should be: problem+json, Retry-After
    FAILED = "failed"  # any other status
    LOST = "lost"  # accepted, and no whole answer
    HUNG = "hung"  # nothing for PATIENCE_S
    NOT_ACCEPTED = "not accepted"  # no connection: nobody listened
    CLOSED_IDLE = "closed idle"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: times are monotonic; `local_port` is the client's end of its connection, 0 without one."""

    outcome: Outcome
    known: KnownAnswer
    began_at: float
    ended_at: float
    local_port: int = 0
    detail: str = ""
    body: bytes = b""


class Connection:
    """Sends requests one after the other, on one connection while the server keeps it, when `reuse` is set."""

    def __init__(self, port: int, judge: Judge = KnownAnswer.is_right, *, reuse: bool = True) -> None:
        self._port = port
        self._judge = judge
        self._reuse = reuse
        self._socket: socket.socket | None = None
        self._local_port = 0

    def ask(self, known: KnownAnswer) -> Asked:
        """Send one request and say what became of it."""
        began_at = time.monotonic()
        is_used = self._socket is not None
        try:
            outcome, detail, body = self._ask(known, is_used)
        except TimeoutError:
            outcome, detail, body = Outcome.HUNG, f"no answer for {PATIENCE_S:.0f} s", b""
        local_port = self._local_port
        if not self._reuse or outcome in (Outcome.LOST, Outcome.HUNG, Outcome.NOT_ACCEPTED, Outcome.CLOSED_IDLE):
            self.close()
        return Asked(outcome, known, began_at, time.monotonic(), local_port, detail, body)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._local_port = 0

    def _ask(self, known: KnownAnswer, is_used: bool) -> tuple[Outcome, str, bytes]:
        try:
            sock = self._connected()
        except TimeoutError:
            raise
        except OSError as error:
            return Outcome.NOT_ACCEPTED, str(error), b""
        if is_used and _has_ended(sock):
            return Outcome.CLOSED_IDLE, "closed before the request", b""
        try:
            # In one piece: who reads the head has read the body too, and a reset means that nobody read either.
            sock.sendall(post(known.path, known.body))
            first = sock.recv(1, socket.MSG_PEEK)
        except _HOPELESS:
            return (Outcome.CLOSED_IDLE if is_used else Outcome.LOST), "reset, request unread", b""
        if not first:
            if is_used and not _has_arrived(sock):
                return Outcome.CLOSED_IDLE, "closed while the request was sent", b""
            return Outcome.LOST, "closed without an answer", b""
        try:
            with http.client.HTTPResponse(sock, method="POST") as answer:
                answer.begin()
                body = answer.read()
        except (http.client.HTTPException, *_HOPELESS) as error:
            return Outcome.LOST, f"cut answer: {type(error).__name__}", b""
        if answer.will_close:
            sock.close()
            self._socket = None  # its port is still told
        return self._judged(known, answer, body)

    def _judged(self, known: KnownAnswer, answer: http.client.HTTPResponse, body: bytes) -> tuple[Outcome, str, bytes]:
        if answer.status == known.status:
            return (Outcome.RIGHT if self._judge(known, body) else Outcome.WRONG), "", body
        code = problem_code(answer, body)
        if answer.status == _UNAVAILABLE and code and (answer.headers["Retry-After"] or "").isdigit():
            return Outcome.REFUSED, code, body
        return Outcome.FAILED, f"{answer.status} {code}", body

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._local_port = 0
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE_S)
            self._local_port = self._socket.getsockname()[1]
        return self._socket


def problem_code(answer: http.client.HTTPResponse, body: bytes) -> str:
    """The field `code` of an answer that is a problem; empty when it is none."""
    if answer.headers.get_content_type() != "application/problem+json":
        return ""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return str(json.loads(body)["code"])
    return ""


def _has_ended(sock: socket.socket) -> bool:
    """Whether the server has closed its side already."""
    sock.setblocking(False)  # a socket with a timeout waits for it whatever the flags of recv say
    try:
        return sock.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        sock.settimeout(PATIENCE_S)


def _has_arrived(sock: socket.socket) -> bool:
    """Whether what was sent came before the end that the other side has sent.

    Then that end acknowledges it: nobody who leaves it unread ends without a reset. What comes later is answered by
    a reset, which closes the connection here too.
    """
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
        state, num_unacknowledged = _INFO.unpack(info)
        if state == _CLOSED:
            return False
        if not num_unacknowledged:
            return True
        time.sleep(0.001)
    raise TimeoutError
