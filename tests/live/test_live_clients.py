"""Clients that stall, linger or come in crowds hold nobody else up and end no worker."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.live.served import Served

FEW_DESCRIPTORS = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
from seqserve.service.__main__ import main
sys.exit(main())
"""


@pytest.fixture(scope="module")
def patient(serve_module: Callable[..., Served]) -> Served:
    """A server that holds eight connections and waits for minutes."""
    return serve_module("--workers", "1", "--max-connections", "8", "--read-timeout-s", "200", "--keep-alive-s", "300")


@contextmanager
def connected(server: Served, count: int, data: bytes) -> Iterator[list[socket.socket]]:
    """Hold connections that have sent some bytes and neither read nor close."""
    with ExitStack() as stack:
        held = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60)) for _ in range(count)
        ]
        for connection in held:
            connection.sendall(data)
        yield held


def test_clients_that_do_not_close_after_their_answer_hold_nobody_up(server: Served) -> None:
    """Waiting two seconds for each of them, one after the other, would outlast the next client's cancellation."""
    with connected(server, 100, b"NONSENSE\r\n\r\n") as held:
        assert all(connection.recv(12) == b"HTTP/1.1 400" for connection in held)
        assert server.get("/healthz").status == 200
        assert server.post({"text": "Teddy Roosevelt came."}).status == 200


def test_a_probe_that_stalls_does_not_hold_other_probes_up(patient: Served) -> None:
    stalled = (
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n",
        b"GET /readyz HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
    )
    with connected(patient, 1, stalled[0]), connected(patient, 1, stalled[1]):
        assert patient.get("/healthz").status == 200
        assert patient.get("/readyz").status == 200


def test_a_crowd_that_outnumbers_the_descriptors_ends_no_worker(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", script=("-c", FEW_DESCRIPTORS))
    workers = server.workers
    with connected(server, 150, b""):
        pass
    assert server.post({"text": "Teddy Roosevelt came."}).status == 200
    assert server.workers == workers
    with connected(server, 150, b""):  # when it stops, it takes all of them at once
        assert server.stop() == 0
    assert "Traceback" not in server.log


def test_a_client_that_ends_its_sending_side_gets_its_answer(server: Served) -> None:
    data = b'{"text": "Teddy Roosevelt came."}'
    head = b"POST /v1/tag HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(head % len(data) + data)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_an_idle_connection_is_kept_for_its_time(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", "--keep-alive-s", "0.5")
    with connected(server, 1, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") as (connection,):
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 OK\r\n")
        assert connection.recv(1) == b""
    with connected(server, 1, b"") as (connection,):
        assert connection.recv(1) == b""


def test_more_connections_than_are_held_make_idle_ones_leave(patient: Served) -> None:
    with connected(patient, 20, b""):
        assert patient.post({"text": "Teddy Roosevelt came."}).status == 200
