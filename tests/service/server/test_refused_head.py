"""A request whose head is refused, by a connection whose client has gone meanwhile."""

import logging
import socket
from types import SimpleNamespace
from typing import Any, cast

import pytest
from gevent.hub import get_hub

from service.clients import Clients
from service.metrics.telemetry import Telemetry
from service.server.accepted import base_environ
from service.server.connection import Connection, Host
from service.server.room import Room
from service.server.turns import Turns
from service.settings import Settings

HEAD = b"POST /v1/tag HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"


class Gone:
    """A socket whose other side takes nothing any more."""

    def __init__(self, real: socket.socket) -> None:
        self._real = real

    def send(self, data: bytes) -> int:
        raise BrokenPipeError

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def test_nothing_more_is_read_of_a_client_that_went_before_its_refusal(caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(max_body_bytes=10)
    forgotten: list[Connection] = []
    host = SimpleNamespace(
        settings=settings,
        clients=Clients(settings),
        turns=Turns(get_hub().loop),
        room=Room(settings, Telemetry()),
        sends_away=False,
        note=lambda *_: None,
        forget=forgotten.append,
    )
    here, there = socket.socketpair()
    here.setblocking(False)
    addresses = base_environ(("127.0.0.2", 1), ("127.0.0.1", 2))
    connection = Connection(cast(Host, host), Gone(here), addresses, for_operators=False)
    with there, caplog.at_level(logging.ERROR):
        there.sendall(HEAD + b"the body begins")
        connection.start()
        connection.hurry()
    assert forgotten == [connection]
    assert host.room.bytes.held == 0
    assert not caplog.records
