"""Connections from listeners: who is taken, who is turned away, and the end."""

import contextlib
import errno
import socket as socket_module
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gevent import socket as gevent_socket

from seqserve.service.server.acceptor import Acceptor
from seqserve.service.server.connections import Connections
from seqserve.service.server.shared_state import SharedState
from seqserve.service.settings import Settings
from tests.service.server.apps import GET, echo, in_loop
from tests.service.server.fake_host import Client, FakeHost, settle


class AcceptingHost(FakeHost):
    """A host with the connections that were accepted."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(echo, settings)
        self.connections = Connections(settings)
        self.num_reports = 0
        self.acceptor = Acceptor(self, self.connections, SharedState(), self.report)
        self.listeners: list[Any] = []
        self._clients = contextlib.ExitStack()

    def report(self) -> None:
        self.num_reports += 1

    def note(self, connection: Any, state: Any, until: float) -> None:
        self.connections.note(connection, state, until)

    def forget(self, connection: Any) -> None:
        self.connections.forget(connection)

    def client(self, listener: int = 0) -> Client:
        """Return a new client of a listener."""
        socket = gevent_socket.create_connection(self.listeners[listener].getsockname())
        return Client(self._clients.enter_context(socket))

    def close(self) -> None:
        if self.listeners[0].fileno() >= 0:
            self.acceptor.stop(for_all=False)
        self._clients.close()
        settle()
        assert self.connections.is_empty


@contextlib.contextmanager
def accepting(*, begun: bool = True, **settings: Any) -> Iterator[AcceptingHost]:
    """Yield a host with a listener for clients and one for operators."""
    host = AcceptingHost(Settings(**settings))
    host.listeners = [socket_module.create_server(("127.0.0.1", 0)) for _ in range(2)]
    host.acceptor.start(host.listeners)
    if begun:
        settle()
    try:
        yield host
    finally:
        host.close()


@in_loop
def test_clients_are_taken_and_answered() -> None:
    with accepting() as host:
        clients = [host.client() for _ in range(3)]
        for client in clients:
            client.say(GET)
            assert client.hears(b">").endswith(b"</ >")
        assert (len(host.connections), host.num_reports) == (3, 3)


@in_loop
def test_operators_have_a_listener_and_a_count_of_their_own() -> None:
    with accepting() as host:
        operator = host.client(1)
        operator.say(GET)
        operator.hears(b">")
        assert len(host.connections) == 0
        assert not host.connections.is_empty


@in_loop
def test_an_address_with_its_share_of_connections_is_turned_away() -> None:
    with accepting(max_connections=4) as host:
        some = [host.client() for _ in range(2)]
        for client in some:
            client.say(b"P")  # busy, so that none makes room
        turned_away = host.client()
        answer = turned_away.rest()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"This client has as many connections as its share allows (client_share)." in answer
        operator = host.client(1)
        operator.say(GET)
        operator.hears(b">")


@in_loop
def test_the_longest_idle_connection_makes_room_for_a_new_one() -> None:
    with accepting(max_connections=2, client_share=1.0) as host:
        first, second = host.client(), host.client()
        settle()
        third = host.client()
        assert first.rest() == b""
        for client in (second, third):
            client.say(GET)
            client.hears(b">")


@in_loop
def test_a_full_process_takes_a_connection_when_another_has_ended() -> None:
    with accepting(max_connections=2, client_share=1.0) as host:
        busy = [host.client() for _ in range(2)]
        for client in busy:
            client.say(b"P")
        waiting = host.client()
        waiting.say(GET)
        assert waiting.unread == b""
        assert len(host.connections) == 2
        busy[0].socket.close()
        assert waiting.hears(b">").endswith(b"</ >")


@in_loop
def test_the_last_that_the_kernel_has_accepted_are_taken_with_the_stop() -> None:
    with accepting(begun=False) as host:
        address = host.listeners[0].getsockname()
        clients = [socket_module.create_connection(address) for _ in range(3)]
        host.acceptor.stop(for_all=False)
        assert len(host.connections) == 3
        with pytest.raises(ConnectionRefusedError):
            socket_module.create_connection(address)
        for client in clients:
            client.close()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
@in_loop
def test_without_a_free_descriptor_it_pauses(number: int, caplog: pytest.LogCaptureFixture) -> None:
    class Full:
        def accept(self) -> Any:
            raise OSError(number, "no room")

    paused: list[str] = []
    with accepting() as host:
        gevent.spawn(paused.append, "others ran")
        assert not host.acceptor._take(Full())
    assert paused == ["others ran"]
    assert [record.getMessage() for record in caplog.records] == ["a connection cannot be accepted: no room"]


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ECONNABORTED])
@in_loop
def test_a_client_that_has_left_meanwhile_is_passed_over(number: int, caplog: pytest.LogCaptureFixture) -> None:
    class Empty:
        def accept(self) -> Any:
            raise OSError(number, "nobody")

    with accepting() as host:
        assert not host.acceptor._take(Empty())
    assert not caplog.records
