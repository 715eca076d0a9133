"""What bodies may hold of a process's memory: what has come of them, not what they promise."""

import json
import socket
from collections.abc import Callable
from contextlib import ExitStack

from tests.live.served import Served

KIB = 1024
FINE = {"text": "Teddy Roosevelt came."}
LIMITS = ("--workers", "1", "--max-body-bytes", str(100 * KIB), "--max-buffered-bytes", str(225 * KIB))


def begin(server: Served, num_sent: int, *, chunked: bool = False) -> socket.socket:
    """Send a head that promises 100 KiB, and some of them; returns once the server has read them."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {100 * KIB}"
    head = f"POST /v1/tag HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
    connection.sendall(head.encode() + (b"%x\r\n" % (100 * KIB) if chunked else b"") + b" " * num_sent)
    for _ in range(20):  # each goes round the server's loop, which reads 16 KiB or more each time
        assert server.get("/healthz").status == 200
    return connection


def large(server: Served) -> str:
    """Send a body of 40 KiB for a model that is not there, and return the code of its error."""
    code: str = server.post(json.dumps({"text": "a " * 20 * KIB, "model": "none"}).encode()).json()["code"]
    return code


def test_large_bodies_that_stall_leave_room_for_small_ones(serve: Callable[..., Served]) -> None:
    server = serve(*LIMITS, "--client-share", "1", "--read-timeout-s", "300")
    with ExitStack() as stack:
        held = [stack.enter_context(begin(server, 99 * KIB, chunked=chunked)) for chunked in (True, False)]
        assert large(server) == "overloaded"
        assert server.post(FINE).status == 200
        for connection in held:
            connection.close()
        while large(server) == "overloaded":
            pass
        assert large(server) == "model_not_found"


def test_what_is_only_promised_holds_nothing(serve: Callable[..., Served]) -> None:
    server = serve(*LIMITS, "--read-timeout-s", "300")
    with ExitStack() as stack:
        for _ in range(80):
            stack.enter_context(begin(server, 1))
        for _ in range(3):
            assert large(server) == "model_not_found"


def test_a_client_that_holds_its_share_leaves_the_rest_to_others(serve: Callable[..., Served]) -> None:
    server = serve(*LIMITS, "--trust-forwarded", "1", "--read-timeout-s", "300")
    body = json.dumps({"text": "a " * 20 * KIB, "model": "none"}).encode()

    def code_for(address: str) -> str:
        code: str = server.post(body, headers={"X-Forwarded-For": address}).json()["code"]
        return code

    with begin(server, 99 * KIB):
        assert code_for("127.0.0.1") == "overloaded"
        assert code_for("10.0.0.1") == "model_not_found"
