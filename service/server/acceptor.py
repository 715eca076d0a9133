"""Accept connections, spread evenly over the workers."""

import contextlib
import errno
import logging
import time
from collections.abc import Callable
from socket import AF_INET, AF_INET6, IPPROTO_TCP, TCP_NODELAY
from typing import Any

import gevent
from gevent.hub import get_hub

from seqserve.service.clients import network_of
from seqserve.service.context import FOR_OPERATORS
from seqserve.service.server.connection import Connection
from seqserve.service.server.connections import Connections
from seqserve.service.server.drain_listener import accept_remaining
from seqserve.service.server.host import Host
from seqserve.service.server.refusals import refusal
from seqserve.service.server.shared_state import SharedState

_PAUSE_S = 0.05
_YIELD_S = 0.001
_MOST_YIELDS = 5
_MOST_AT_ONCE = 16
"""Connections that are accepted before the loop serves existing clients."""

logger = logging.getLogger("seqserve")


class Acceptor:
    """The listeners of one process: the first is for clients, the others for operators."""

    def __init__(self, host: Host, connections: Connections, shared: SharedState, report: Callable[[], None]) -> None:
        self._host = host
        self._connections = connections
        self._shared = shared
        self._report = report
        self._greenlets: list[Any] = []

    def start(self, listeners: list[Any]) -> None:
        """Start to accept."""
        self._listeners = listeners
        self._greenlets = [gevent.spawn(self._accept, listener) for listener in listeners]

    def stop(self, *, for_all: bool) -> None:
        """Accept the connections that wait in the kernel and close the listeners; for_all: no other process accepts."""
        gevent.killall(self._greenlets)
        for listener in self._listeners:
            here, for_operators = listener.getsockname(), self._is_for_operators(listener)
            for client, address in accept_remaining(listener, for_all=for_all):
                self._begin(client, (address, here), for_operators=for_operators)

    def _is_for_operators(self, listener: Any) -> bool:
        return listener is not self._listeners[0]

    def _accept(self, listener: Any) -> None:
        """Accept about as many connections as other workers hold, so that all clients wait equally long."""
        listener.setblocking(False)
        hub = get_hub()
        readable = hub.loop.io(listener.fileno(), 1)
        while True:
            hub.wait(readable)
            if self._is_for_operators(listener):
                self._take(listener)
                continue
            self._yield_to_others()
            while not self._connections.make_room():
                gevent.sleep(_YIELD_S)
            num_wanted = min(_MOST_AT_ONCE, max(1, self._num_fair() - len(self._connections)))
            while num_wanted and self._take(listener):
                num_wanted -= 1

    def _num_fair(self) -> int:
        return min(self._shared.fair_connections(), self._connections.limit)

    def _yield_to_others(self) -> None:
        for _ in range(_MOST_YIELDS):
            if len(self._connections) < self._num_fair():
                return
            gevent.sleep(_YIELD_S)

    def _take(self, listener: Any) -> bool:
        """Accept one connection; return whether there was one."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno in (errno.EBADF, errno.EINVAL):  # the listener is closed
                raise
            # Other errors concern one connection, or a lack of resources: accept(2) recommends to try again.
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                logger.warning("a connection cannot be accepted: %s", error.strerror)
                gevent.sleep(_PAUSE_S)  # the connection stays in the kernel's queue: without a pause the loop spins
            return False
        self._begin(client, (address, listener.getsockname()), for_operators=self._is_for_operators(listener))
        return True

    def _begin(self, client: Any, addresses: tuple[Any, Any], *, for_operators: bool) -> None:
        client.setblocking(False)
        peer, base = base_environ(*addresses)
        address = network_of(peer)
        if not for_operators and not self._connections.make_room_for(address):
            error = self._host.room.excess("This client has as many connections as its share allows (client_share).")
            with contextlib.suppress(OSError):
                client.send(refusal(error, arrived_at=time.monotonic()))
            client.close()
            return
        if client.family in (AF_INET, AF_INET6):  # answers are written whole: Nagle's algorithm would delay them
            client.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        connection = Connection(self._host, client, (address, base), for_operators=for_operators)
        self._connections.add(connection, for_operators=for_operators)
        self._report()
        connection.start()


def base_environ(client: Any, server: Any) -> tuple[str, dict[str, Any]]:
    """Return the client's address, "" on a Unix socket, and the WSGI keys that all requests of a connection share."""
    is_inet = isinstance(client, tuple)
    peer = str(client[0]) if is_inet else ""
    host, port = (str(server[0]), str(server[1])) if isinstance(server, tuple) else ("localhost", "0")
    base: dict[str, Any] = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "SCRIPT_NAME": "",
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "REMOTE_ADDR": peer,
        FOR_OPERATORS: False,
    }
    if is_inet:
        base["REMOTE_PORT"] = str(client[1])
    return peer, base
