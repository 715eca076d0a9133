"""Clients that send half a request, a byte at a time, or nothing, and clients that vanish: nobody else notices."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.live.problems import FINE
from tests.live.served import Served

HEAD = b"POST /v1/tag HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
STARTS = {
    "nothing": b"",
    "half a line": b"POST /v1/t",
    "half a header": HEAD + b"Content-Len",
    "no body": HEAD + b"Content-Length: 1000\r\n\r\n",
    "half a body": HEAD + b'Content-Length: 1000\r\n\r\n{"text": "aaaa',
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n100\r\naaa",
}
FAR_S = 30.0


@contextmanager
def stalled(server: Served, count: int, data: bytes) -> Iterator[list[socket.socket]]:
    """Hold connections that have sent some bytes and say nothing more."""
    with ExitStack() as stack:
        held = []
        for _ in range(count):
            held.append(stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=FAR_S)))
            held[-1].sendall(data)
        yield held


def end_of(connection: socket.socket) -> bytes:
    """Everything that the server still says before it closes."""
    said = b""
    try:
        while piece := connection.recv(4096):
            said += piece
    except ConnectionResetError:
        pass
    return said


@pytest.fixture(scope="module")
def impatient(serve_module: Callable[..., Served]) -> Served:
    """A server that waits half a second for a request."""
    return serve_module("--workers", "1", "--read-timeout-s", "0.5", "--keep-alive-s", "0.5")


def test_many_stalled_clients_of_every_kind_hold_nobody_up(server: Served) -> None:
    alone = server.post(FINE)
    with ExitStack() as stack:
        for start in STARTS.values():
            stack.enter_context(stalled(server, 30, start))
        for _ in range(10):
            assert server.post(FINE).body == alone.body
        assert server.get("/healthz").status == 200


@pytest.mark.parametrize("start", [pytest.param(start, id=name) for name, start in STARTS.items() if start])
def test_a_request_that_does_not_arrive_in_time_is_given_up(impatient: Served, start: bytes) -> None:
    with stalled(impatient, 2, start) as held:
        for connection in held:
            said = end_of(connection)
            assert not said or said.startswith(b"HTTP/1.1 4"), said
    assert impatient.post(FINE).status == 200


def test_a_byte_now_and_then_does_not_prolong_the_time(impatient: Served) -> None:
    body = b'{"text": "' + 1000 * b"a"
    with stalled(impatient, 1, HEAD + b"Content-Length: 5000\r\n\r\n") as (connection,):
        connection.settimeout(0.1)
        ended, limit = False, time.monotonic() + FAR_S
        for number in range(len(body)):
            if ended or time.monotonic() > limit:
                break
            try:
                connection.sendall(body[number : number + 1])
                ended = connection.recv(100) == b""
            except TimeoutError:
                continue
            except OSError:
                ended = True
        assert ended
    assert impatient.post(FINE).status == 200


def test_idle_clients_make_room_for_one_that_speaks(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", "--max-connections", "8", "--keep-alive-s", "200")
    with stalled(server, 12, b"") as held:
        assert server.post(FINE).status == 200
        assert server.get("/readyz").status == 200
        assert len(held) == 12


def test_an_idle_connection_is_closed_after_a_while(impatient: Served) -> None:
    with stalled(impatient, 1, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") as (connection,):
        assert end_of(connection).startswith(b"HTTP/1.1 200 ")


def test_clients_that_do_not_read_their_answer_hold_nobody_up(server: Served) -> None:
    alone = server.post(FINE)
    text = b'"' + 300 * b"Teddy Roosevelt came. " + b'"'
    body = b'{"include": ["tokens", "tag_probs"], "text": [' + b",".join(60 * [text]) + b"]}"
    data = HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    with stalled(server, 2, data):
        for _ in range(4):
            assert server.post(FINE).body == alone.body


def test_clients_that_vanish_leave_nothing_behind(server: Served) -> None:
    alone = server.post(FINE)
    for start in STARTS.values():
        with stalled(server, 10, start):
            pass
    assert server.post(FINE).body == alone.body
