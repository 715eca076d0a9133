"""A hostile client beside an honest one, in short: the honest one is answered, and the workers stay the same.

`python -m benchmarks faults hostile` measures how long it waits.
"""

import functools
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from benchmarks.faults.hostile_clients import SOURCE, Hostility, attack
from benchmarks.faults.hostilities import hostilities
from tests.live.problems import FINE, check_problem
from tests.live.raw import connect, exchange, hear, send_all
from tests.live.served import Served, start

CHARACTER = "tiny-char-lm"
KEY = "the-right-key"
NAMES = (
    "GETs without pause, answers read",
    "bodies of 2 MiB in one-byte chunks",
    "200,000 chunk extensions",
    "heads of 99 headers of 8 kB",
    "gzip of 2 MiB of empty tokens",
    "2 MiB of objects",
    "80 promised bodies",
    "large answers never read",
    "connections closed at once",
)
_ATTACK_S = 20.0
_LEAST_S = 0.4
_NUM_HONEST = 5
_JSON = "Host: x\r\nContent-Type: application/json\r\n"
_PORTS = re.compile(r"Listening at: \S+:(\d+),\S+:(\d+) ")


@functools.cache
def all_hostilities() -> dict[str, Hostility]:
    """Return every hostile client by its name."""
    return {each.name: each for each in hostilities(CHARACTER)}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of one worker with keys, a port for operators and low limits, in somebody else's environment."""
    limits = ("--max-connections", "40", "--max-buffered-bytes", "10000000")
    log = tmp_path_factory.mktemp("guarded") / "log"
    served = start(
        log, "--workers", "1", "--drain-s", "0", "--ops-port", "0", *limits, SEQSERVE_API_KEYS=KEY, SCRIPT_NAME="/else"
    )
    try:
        served.wait_until_ready()
        yield served
    finally:
        status = served.stop()
    assert status == 0, served.log


@contextmanager
def from_address(server: Served, source: str, count: int, data: bytes) -> Iterator[list[socket.socket]]:
    """Hold connections from an address that have sent bytes; the kernel takes little of what comes back."""
    with ExitStack() as stack:
        held = []
        for _ in range(count):
            client = stack.enter_context(socket.socket())
            client.settimeout(60)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.bind((source, 0))
            client.connect(("127.0.0.1", server.port))
            client.sendall(data)
            held.append(client)
        yield held


def head(path: str, lines: str) -> bytes:
    """Return the head of a POST of JSON."""
    return f"POST {path} HTTP/1.1\r\n{_JSON}{lines}\r\n".encode()


def with_key(path: str, body: object) -> bytes:
    """Return a request with the right key, whose answer ends its connection."""
    data = json.dumps(body).encode()
    lines = f"Authorization: Bearer {KEY}\r\nConnection: close\r\nContent-Length: {len(data)}\r\n"
    return head(path, lines) + data


@pytest.mark.parametrize("name", NAMES)
def test_an_honest_client_is_answered_while_another_is_hostile(server: Served, name: str) -> None:
    alone = server.post(FINE)
    stop, began_at, num_answered = threading.Event(), time.monotonic(), 0
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(attack, all_hostilities()[name], server.port, _ATTACK_S, stop=stop)
        try:
            while num_answered < _NUM_HONEST or time.monotonic() < began_at + _LEAST_S:
                assert server.post(FINE).body == alone.body
                num_answered += 1
            assert not under_way.done(), "it was answered only after the hostile client had left"
        finally:
            stop.set()
        assert under_way.result().num_opened


def test_promised_bodies_hold_no_memory(server: Served) -> None:
    promise = head("/v1/tag", f"Content-Length: {2 * 1024 * 1024}\r\n")
    body = json.dumps(FINE).encode().ljust(30_000)
    with from_address(server, SOURCE, 80, promise):
        assert [server.post(body).status for _ in range(8)] == [200] * 8


def test_answers_that_nobody_reads_are_accounted_for(guarded: Served) -> None:
    large = {"model": CHARACTER, "text": "abc " * 1_000, "eos": False, "include": ["tokens"], "top": 20}
    with from_address(guarded, SOURCE, 12, with_key("/v1/score", large)) as held:
        statuses = [client.recv(12) for client in held]
        assert set(statuses) == {b"HTTP/1.1 200", b"HTTP/1.1 503"}
        assert statuses.count(b"HTTP/1.1 200") <= 6, "more is held than the account allows"
        assert exchange(guarded, with_key("/v1/tag", FINE), ends=False).statuses == [200]
    assert guarded.workers
    while exchange(guarded, with_key("/v1/score", large), ends=False).statuses == [503]:
        time.sleep(0.1)  # until the server has noticed that they are gone, and given back what they held
    assert exchange(guarded, with_key("/v1/score", large), ends=False).statuses == [200]


def test_probes_on_their_own_port_are_answered_while_the_other_port_is_full(guarded: Served) -> None:
    found = _PORTS.search(guarded.log)
    assert found, guarded.log
    half = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
    with ExitStack() as stack:
        for number in (2, 3, 4):
            stack.enter_context(from_address(guarded, f"127.0.0.{number}", 30, half))
        for _ in range(5):
            for path in (b"/healthz", b"/readyz", b"/metrics"):
                with socket.create_connection(("127.0.0.1", int(found[2])), timeout=30) as probe:
                    probe.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    assert hear(probe).statuses == [200]


@pytest.mark.parametrize("key", ["Authorization: Bearer wrong\r\n", ""], ids=["wrong", "none"])
def test_a_request_without_a_right_key_is_answered_before_its_body_comes(guarded: Served, key: str) -> None:
    with connect(guarded) as connection:
        send_all(connection, head("/v1/tag", f"{key}Content-Length: 60000\r\n"))
        heard = hear(connection)
    assert (heard.statuses, heard.is_closed) == ([401], True)


def test_the_script_name_of_the_environment_changes_no_address(guarded: Served) -> None:
    assert guarded.get("/healthz").status == 200
    assert guarded.get("/else/healthz").status == 404
    assert guarded.post(FINE, headers={"Authorization": f"Bearer {KEY}"}).status == 200


def test_integers_may_be_written_with_a_point_or_an_exponent(server: Served) -> None:
    written = b'{"model":"tiny-char-lm","seed":7.0,"n":2.0,"max_tokens":1e1,"top_k":0.5e1}'
    plain = {"model": CHARACTER, "seed": 7, "n": 2, "max_tokens": 10, "top_k": 5}
    reply = server.post(written, path="/v1/sample")
    assert reply.status == 200, reply.body
    assert reply.json() == server.post(plain, path="/v1/sample").json()
    check_problem(server.post(b'{"model":"tiny-char-lm","n":1.5}', path="/v1/sample"), 422, "invalid_request")


@pytest.mark.parametrize(
    ("data", "status", "detail"),
    [
        pytest.param(b"GET /healthz HTTP/1.1\r\n\r\n", 400, b"Host", id="no Host"),
        pytest.param(head("/v1/tag", "Transfer-Encoding: gzip, chunked\r\n"), 400, b"gzip, chunked", id="two codings"),
        pytest.param(
            head("/v1/tag", "Expect: 100-continue\r\nContent-Length: 3000000\r\n"),
            413,
            b"max_body_bytes",
            id="Expect with too large a length",
        ),
    ],
)
def test_what_a_head_says_is_refused_at_once(server: Served, data: bytes, status: int, detail: bytes) -> None:
    with connect(server) as connection:
        send_all(connection, data)
        heard = hear(connection)
    assert heard.statuses == [status]
    assert detail in heard.data


def test_a_client_that_ends_its_side_gets_its_samples(server: Served) -> None:
    body = json.dumps({"model": CHARACTER, "seed": 1, "max_tokens": 50}).encode()
    data = head("/v1/sample", f"Content-Length: {len(body)}\r\n") + body
    assert [exchange(server, data).statuses for _ in range(12)] == [[200]] * 12
