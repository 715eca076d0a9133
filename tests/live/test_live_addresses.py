"""Addresses that are no IPv4 address: a Unix socket, and IPv6 as it is written in a URL."""

import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.faults.clients import wait_until
from tests.live.served import START_LIMIT_S, Served, start

_REQUEST = b"GET /readyz HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"


def answers(connect: Callable[[socket.socket], None], family: socket.AddressFamily) -> bool:
    """Whether the service answers that it is ready."""
    with socket.socket(family) as client:
        client.settimeout(START_LIMIT_S)
        try:
            connect(client)
        except OSError:
            return False
        client.sendall(_REQUEST)
        return b"".join(iter(lambda: client.recv(4096), b"")).startswith(b"HTTP/1.1 200")


def listens_at(served: Served, pattern: str) -> re.Match[str] | None:
    """Where the log says that the server listens."""
    wait_until(lambda: "Listening at" in served.log or served.process.poll() is not None, START_LIMIT_S)
    return re.search(rf"Listening at: {pattern} \(\d+\)", served.log)


def test_a_unix_socket_is_served_and_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    served = start(tmp_path / "log", "--host", f"unix:{path}", "--ops-port", "0", "--workers", "1", "--drain-s", "0")
    try:
        found = listens_at(served, rf"unix:{path},http://127\.0\.0\.1:(\d+)")
        assert found, served.log
        assert answers(lambda client: client.connect(str(path)), socket.AF_UNIX)
        assert answers(lambda client: client.connect(("127.0.0.1", int(found[1]))), socket.AF_INET)
        assert served.workers
    finally:
        status = served.stop()
    assert status == 0, served.log
    assert not path.exists()


def has_ipv6() -> bool:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


@pytest.mark.skipif(not socket.has_ipv6 or not has_ipv6(), reason="this machine has no address ::1")
def test_an_address_in_brackets_is_served(tmp_path: Path) -> None:
    served = start(tmp_path / "log", "--host", "[::1]", "--workers", "1", "--drain-s", "0")
    try:
        found = listens_at(served, r"http://\[::1\]:(\d+)")
        assert found, served.log
        assert answers(lambda client: client.connect(("::1", int(found[1]))), socket.AF_INET6)
        assert served.workers
    finally:
        status = served.stop()
    assert status == 0, served.log
