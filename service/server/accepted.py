"""Steps for a connection that was just accepted."""

import contextlib
from socket import AF_INET, AF_INET6, IPPROTO_TCP, TCP_NODELAY, socket
from typing import Any

from seqserve.service.context import FOR_OPERATORS


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


def send_soon(client: socket) -> None:
    """Turn off Nagle's algorithm: answers are written whole, so the kernel need not wait for more."""
    if client.family in (AF_INET, AF_INET6):
        client.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)


def turn_away(client: socket, answer: bytes) -> None:
    """Send as much of an answer as the kernel takes without waiting, and close."""
    client.setblocking(False)
    with contextlib.suppress(OSError):
        client.send(answer)
    client.close()
