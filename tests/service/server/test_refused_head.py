"""What is said to a client on account of its head, when it has gone meanwhile."""

import logging
import socket
from types import SimpleNamespace
from typing import Any, cast

import pytest
from gevent.hub import get_hub

from seqserve.service.clients import Clients
from seqserve.service.metrics.telemetry import Telemetry
from seqserve.service.server.acceptor import base_environ
from seqserve.service.server.connection import Connection
from seqserve.service.server.host import Host
from seqserve.service.server.room import Room
from seqserve.service.server.turns import Turns
from seqserve.service.settings import Settings
from tests.service.server.apps import in_loop

HEAD = b"POST /v1/tag HTTP/1.1\r\nHost: x\r\n"


class Gone:
    """A socket whose other side takes nothing any more."""

    def __init__(self, real: socket.socket) -> None:
        self._real = real

    def send(self, data: bytes) -> int:
        raise BrokenPipeError

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def host_of(settings: Settings, forgotten: list[Connection]) -> Host:
    """Return what a connection needs of a worker."""
    host = SimpleNamespace(
        settings=settings,
        clients=Clients(settings),
        turns=Turns(get_hub().loop),
        room=Room(settings, Telemetry()),
        sheds_clients=False,
        note=lambda *_: None,
        forget=forgotten.append,
    )
    return cast(Host, host)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(HEAD + b"Content-Length: 100000\r\n\r\nthe body begins", id="refusal"),
        pytest.param(HEAD + b"Content-Length: 10\r\nExpect: 100-continue\r\n\r\n", id="100 Continue"),
    ],
)
@in_loop
def test_a_client_that_went_before_it_was_told_is_forgotten(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    forgotten: list[Connection] = []
    host = host_of(Settings(max_body_bytes=10), forgotten)
    here, there = socket.socketpair()
    here.setblocking(False)
    addresses = base_environ(("127.0.0.2", 1), ("127.0.0.1", 2))
    connection = Connection(host, Gone(here), addresses, for_operators=False)
    with caplog.at_level(logging.ERROR):
        there.sendall(data)
        connection.start()
        connection.close_idle()
        there.close()
        connection.expire()
    assert forgotten == [connection]
    assert host.room.bytes.held == 0
    assert not caplog.records


@in_loop
def test_what_a_client_sent_goes_with_its_connection() -> None:
    forgotten: list[Connection] = []
    host = host_of(Settings(), forgotten)
    addresses = base_environ(("127.0.0.2", 1), ("127.0.0.1", 2))
    here, there = socket.socketpair()
    here.setblocking(False)
    connection = Connection(host, Gone(here), addresses, for_operators=False)
    there.sendall(HEAD + b"Content-Length: 10\r\n\r\nhalf")
    connection.start()
    connection.close_idle()
    there.close()
    connection.expire()
    assert forgotten == [connection]
    request = connection._parser
    assert (request.environ, request.body) == (None, b"")


@in_loop
def test_what_a_refused_client_sent_goes_before_it_does() -> None:
    host = host_of(Settings(), [])
    addresses = base_environ(("127.0.0.2", 1), ("127.0.0.1", 2))
    here, there = socket.socketpair()
    here.setblocking(False)
    connection = Connection(host, here, addresses, for_operators=False)
    with there:
        there.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nno chunk\r\n")
        connection.start()
        connection.close_idle()
        assert there.recv(12) == b"HTTP/1.1 400"
        request = connection._parser
        assert (request.environ, request.body) == (None, b"")
    connection.close()
