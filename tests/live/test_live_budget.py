"""What large bodies may hold of a process's memory."""

import json
import socket
from collections.abc import Callable
from contextlib import ExitStack

from tests.live.served import Served

KIB = 1024
FINE = {"text": "Teddy Roosevelt came."}


def begin(server: Served, num_bytes: int) -> socket.socket:
    """Send a head that promises so many bytes, and the first of them."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    head = f"POST /v1/tag HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {num_bytes}\r\n\r\n"
    connection.sendall(head.encode() + b"{")
    return connection


def test_large_bodies_that_stall_leave_room_for_small_ones(serve: Callable[..., Served]) -> None:
    limits = ("--max-body-bytes", str(100 * KIB), "--max-buffered-bytes", str(225 * KIB))
    server = serve("--workers", "1", *limits, "--read-timeout-s", "300")
    large = json.dumps({"text": "a " * 20 * KIB, "model": "none"}).encode()
    with ExitStack() as stack:
        held = [stack.enter_context(begin(server, 100 * KIB)) for _ in range(2)]
        while (reply := server.post(large)).status != 503:  # the two may still be on their way
            assert reply.json()["code"] == "model_not_found"
        assert reply.json()["code"] == "overloaded"
        assert int(reply.headers["Retry-After"]) >= 1
        assert server.post(FINE).status == 200
        held[0].close()
        while server.post(large).json()["code"] == "overloaded":
            pass
        assert server.post(large).json()["code"] == "model_not_found"


def test_a_chunked_body_is_held_as_the_largest(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", "--max-body-bytes", str(100 * KIB), "--max-buffered-bytes", str(150 * KIB))
    with begin(server, 100 * KIB):
        while True:
            reply = server.post(
                b"%x\r\n%b\r\n0\r\n\r\n" % (len(json.dumps(FINE)), json.dumps(FINE).encode()),
                headers={"Transfer-Encoding": "chunked"},
            )
            if reply.status == 503:
                break
            assert reply.status == 200
        assert reply.json()["code"] == "overloaded"
