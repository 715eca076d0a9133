"""Whether a client has gone, seen at its connection."""

import socket
import struct
from collections.abc import Callable, Iterator

import pytest

from seqserve.service.server.client_gone import has_closed

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """The server's and the client's end of a connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    yield server, client
    client.close()
    server.close()


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def watch(server: socket.socket) -> Callable[[], bool]:
    return lambda: has_closed(server)


def test_a_client_that_waits_is_there(pair: Pair) -> None:
    server, client = pair
    has_left = watch(server)
    assert not has_left()
    client.sendall(b"the next request")
    assert not has_left()


@pytest.mark.parametrize("leave", [socket.socket.close, reset], ids=["closes", "resets"])
@pytest.mark.parametrize("sent", [b"", b"the next request"], ids=["nothing unread", "something unread"])
def test_a_client_that_leaves_is_seen(pair: Pair, leave: Callable[[socket.socket], None], sent: bytes) -> None:
    server, client = pair
    has_left = watch(server)
    client.sendall(sent)
    leave(client)
    server.settimeout(60)
    while not has_left():  # over the loopback at once, but not in the same instant
        pass
    assert has_left()


def test_a_connection_that_is_closed_here_is_gone(pair: Pair) -> None:
    server, _ = pair
    has_left = watch(server)
    server.close()
    assert has_left()
