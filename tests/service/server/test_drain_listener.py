"""The last connections of a listener."""

import socket
from collections.abc import Iterator

import pytest

from seqserve.service.server.drain_listener import accept_remaining, drop_new_connections

SHORT_S = 0.2


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.mark.parametrize("for_all", [True, False])
def test_all_that_wait_are_taken_and_the_next_are_refused(listener: socket.socket, for_all: bool) -> None:
    here = listener.getsockname()
    clients = [socket.create_connection(here) for _ in range(5)]
    try:
        taken = accept_remaining(listener, for_all=for_all)
        assert [address for _, address in taken] == [client.getsockname() for client in clients]
        for (server, _), client in zip(taken, clients, strict=True):
            client.sendall(b"a request")
            server.setblocking(True)
            assert server.recv(100) == b"a request"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(here)
    finally:
        for each in [*clients, *(server for server, _ in taken)]:
            each.close()


def test_new_connections_are_dropped_while_those_that_wait_are_accepted(listener: socket.socket) -> None:
    here = listener.getsockname()
    with socket.create_connection(here) as early:
        drop_new_connections(listener)
        with pytest.raises(TimeoutError):
            socket.create_connection(here, timeout=SHORT_S)
        server, address = listener.accept()
        with server:
            assert address == early.getsockname()
            early.sendall(b"a request")
            assert server.recv(100) == b"a request"
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
