"""A connection of a socket pair, the host it belongs to, and the client at the other end; all inside a loop."""

import contextlib
import socket as socket_module
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import gevent
from gevent import socket as gevent_socket
from gevent.hub import get_hub

from seqserve.service.clients import Clients
from seqserve.service.metrics.telemetry import Telemetry
from seqserve.service.server.connection import Connection
from seqserve.service.server.room import Room
from seqserve.service.server.turns import Turns
from seqserve.service.settings import Settings

PATIENCE_S = 20.0
App = Callable[[dict[str, Any], Any], Any]


class FakeHost:
    """What a worker is to its connections."""

    def __init__(self, app: App, settings: Settings) -> None:
        self.settings = settings
        self.wsgi = app
        self.clients = Clients(settings)
        self.turns = Turns(get_hub().loop)
        self.room = Room(settings, Telemetry())
        self.sheds_clients = False
        self.states: list[str] = []
        self.num_forgotten = 0

    def note(self, connection: Connection, state: str, until: float) -> None:
        self.states.append(state)

    def forget(self, connection: Connection) -> None:
        self.num_forgotten += 1


class Client:
    """The client's end."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.socket.settimeout(PATIENCE_S)
        self._read = b""

    def say(self, data: bytes) -> None:
        """Send bytes, and let the loop see them."""
        self.socket.sendall(data)
        settle()

    def end(self) -> None:
        """End the sending side."""
        self.socket.shutdown(socket_module.SHUT_WR)
        settle()

    def hears(self, end: bytes) -> bytes:
        """Return what comes, up to and with these bytes."""
        while end not in self._read:
            data = self.socket.recv(65536)
            assert data, f"the connection ended after {self._read!r}"
            self._read += data
        found, _, self._read = self._read.partition(end)
        return found + end

    def rest(self) -> bytes:
        """Return what comes until the connection is closed."""
        while data := self.socket.recv(65536):
            self._read += data
        found, self._read = self._read, b""
        return found

    @property
    def unread(self) -> bytes:
        """What has come so far."""
        settle()
        with contextlib.suppress(BlockingIOError):
            self._read += self.socket._sock.recv(1 << 20, socket_module.MSG_DONTWAIT)
        return self._read


class Parts(NamedTuple):
    """Of a test."""

    host: FakeHost
    connection: Connection
    client: Client


def settle() -> None:
    """Let the loop do what there is to do: it looks at sockets before each timer."""
    for _ in range(4):
        gevent.sleep(0.001)


def socket_pair() -> tuple[Any, Any]:
    """Return the server's end, a plain socket that never waits, and the client's, which waits in the loop."""
    theirs, ours = socket_module.socketpair()
    ours.setblocking(False)
    return ours, gevent_socket.socket(theirs.family, theirs.type, fileno=theirs.detach())


@contextlib.contextmanager
def connected(app: App, *, for_operators: bool = False, **settings: Any) -> Iterator[Parts]:
    """Yield a connection that waits for its first request; in the end everything that was held is given back."""
    host = FakeHost(app, Settings(**settings))
    ours, theirs = socket_pair()
    connection = Connection(host, ours, ("1.2.3.4", {"REMOTE_ADDR": "1.2.3.4"}), for_operators=for_operators)
    connection.start()
    try:
        yield Parts(host, connection, Client(theirs))
    finally:
        theirs.close()
        settle()
        connection.close()
    assert host.num_forgotten == 1
    assert host.room.requests.held == 0
    assert host.room.bytes.held == 0
