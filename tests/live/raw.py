"""Bytes to a server and back, whatever they are."""

import json
import socket
import struct
from typing import NamedTuple

from tests.live.problems import FINE
from tests.live.served import Served

ANSWER_LIMIT_S = 30.0
GOOD_BODY = json.dumps(FINE).encode()
GOOD_HEAD = (
    b"POST /v1/tag HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: " + str(len(GOOD_BODY)).encode() + b"\r\n"
)
GOOD = GOOD_HEAD + b"\r\n" + GOOD_BODY


class Heard(NamedTuple):
    """All that came back: statuses of the answers in order, the bytes, and whether the server closed."""

    statuses: list[int]
    data: bytes
    is_closed: bool


def connect(server: Served, limit_s: float = ANSWER_LIMIT_S) -> socket.socket:
    """Open a connection that waits so long for each piece."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=limit_s)


def send_all(connection: socket.socket, data: bytes) -> None:
    """Send what the server takes: it may have refused the first half and closed."""
    try:
        connection.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        return


def hear(connection: socket.socket) -> Heard:
    """Read until the server closes or resets the connection; it is not closed when nothing more comes in time."""
    data, is_closed = b"", False
    try:
        while piece := connection.recv(65_536):
            data += piece
        is_closed = True
    except ConnectionResetError:
        is_closed = True
    except TimeoutError:
        is_closed = False
    return Heard(statuses_of(data), data, is_closed)


def exchange(server: Served, data: bytes, *, ends: bool = True) -> Heard:
    """Send bytes, end the sending side when asked to, and hear all that comes back."""
    with connect(server) as connection:
        send_all(connection, data)
        if ends:
            try:
                connection.shutdown(socket.SHUT_WR)
            except OSError:  # the server has closed already
                return hear(connection)
        return hear(connection)


def statuses_of(data: bytes) -> list[int]:
    """Return the statuses of the answers in order; fails on bytes that are no whole answers with a length."""
    statuses = []
    while data:
        head, found, rest = data.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        assert found, data
        assert first.startswith(b"HTTP/1.1 "), data
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        status = int(first.split(b" ")[1])
        length = 0 if status == 100 else int(fields[b"content-length"])
        assert len(rest) >= length, data
        statuses.append(status)
        data = rest[length:]
    return statuses


def reset(connection: socket.socket) -> None:
    """Close so that the other side gets RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
