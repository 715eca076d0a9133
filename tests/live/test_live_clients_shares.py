"""One client, known by its key or its address, may hold its share of each limit; others find room beside it."""

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from tests.live.problems import FINE
from tests.live.served import Reply, Served

SLOW = ("-m", "tests.live.slow_server")
GREEDY, HONEST = "127.0.0.2", "127.0.0.1"
_JSON = {"Content-Type": "application/json"}
_NUM_GREEDY = 12
_NUM_HONEST = 2
Ask = Callable[[], Reply]
"""Sends one request."""


def ask(server: Served, source: str, headers: Mapping[str, str] | None = None, *, body: bytes = b"") -> Reply:
    """Send a request of /v1/tag from an address of this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60, source_address=(source, 0))
    try:
        data = body or json.dumps(FINE).encode()
        connection.request("POST", "/v1/tag", data, {**_JSON, **(headers or {})})
        answer = connection.getresponse()
        return Reply(answer.status, dict(answer.getheaders()), answer.read())
    finally:
        connection.close()


def run_in_thread(greedy: Ask, honest: Ask) -> tuple[list[int], list[int]]:
    """Return the statuses of twelve greedy requests at a time, and of honest ones that come while those wait."""
    with ThreadPoolExecutor(_NUM_GREEDY) as pool:
        held = [pool.submit(greedy) for _ in range(_NUM_GREEDY)]
        while not any(each.done() for each in held):  # the first to end are those that are refused
            pass
        seen = [honest().status for _ in range(_NUM_HONEST)]
        return sorted(each.result().status for each in held), seen


@contextmanager
def holding(server: Served, count: int, data: bytes) -> Iterator[list[int]]:
    """Hold greedy connections that have sent bytes; yields the statuses of those that are answered at once."""
    with ExitStack() as stack:
        statuses = []
        for _ in range(count):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=0.2, source_address=(GREEDY, 0))
            stack.callback(connection.close)
            connection.connect()
            try:
                connection.sock.sendall(data)
                statuses.append(int(connection.sock.recv(12)[9:12] or 0))
            except (TimeoutError, ConnectionError):
                continue
        yield statuses


def test_an_address_may_have_its_share_of_the_connections(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", "--max-connections", "12")
    with holding(server, 10, b"POST /v1/tag HTTP/1.1\r\nHost: x\r\n") as statuses:
        assert statuses
        assert set(statuses) == {503}
        assert [ask(server, HONEST).status for _ in range(4)] == [200] * 4


def test_an_address_may_hold_its_share_of_the_bytes(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", "--max-body-bytes", "100000", "--max-buffered-bytes", "400000")
    head = b"POST /v1/tag HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90000\r\n\r\n"
    body = json.dumps(FINE).encode().ljust(20_000)
    with holding(server, 6, head + 80_000 * b" ") as statuses:
        assert statuses
        assert set(statuses) == {503}
        assert [ask(server, HONEST, body=body).status for _ in range(4)] == [200] * 4


@pytest.fixture(scope="module")
def eight(serve_module: Callable[..., Served]) -> Served:
    """A slow server that answers eight requests at a time."""
    return serve_module("--workers", "1", "--max-requests", "8", script=SLOW)


@pytest.mark.parametrize("forwarded", [{}, {"X-Forwarded-For": "203.0.113.7"}], ids=["plain", "forged"])
def test_an_address_may_have_its_share_of_the_requests(eight: Served, forwarded: dict[str, str]) -> None:
    greedy, honest = run_in_thread(lambda: ask(eight, GREEDY, forwarded), lambda: ask(eight, HONEST))
    assert set(greedy) == {200, 503}
    assert honest == [200] * _NUM_HONEST


def test_behind_a_trusted_proxy_clients_are_told_apart_by_what_it_says(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", "--max-requests", "8", "--trust-forwarded", "1", script=SLOW)

    def from_client(address: str) -> Ask:
        return lambda: ask(server, GREEDY, {"X-Forwarded-For": f"198.51.100.1, {address}"})

    greedy, honest = run_in_thread(from_client("203.0.113.7"), from_client("203.0.113.8"))
    assert set(greedy) == {200, 503}
    assert honest == [200] * _NUM_HONEST


def test_keys_at_one_address_are_different_clients(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", "--max-requests", "8", script=SLOW, SEQSERVE_API_KEYS="one,other")

    def with_key(key: str) -> Ask:
        return lambda: ask(server, GREEDY, {"Authorization": f"Bearer {key}"})

    greedy, honest = run_in_thread(with_key("one"), with_key("other"))
    assert set(greedy) == {200, 503}
    assert honest == [200] * _NUM_HONEST


def test_with_a_share_of_all_one_client_may_have_everything(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", "--max-requests", "8", "--client-share", "1", script=SLOW)
    greedy, _ = run_in_thread(lambda: ask(server, GREEDY), lambda: ask(server, HONEST))
    assert greedy.count(200) > 4  # half of the places, which it would have by default
