"""The load generator against a little server that answers as it is told: what is counted, what is noticed."""

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import pytest

from benchmarks.load.connection import BrokenConnectionError, read_answer
from benchmarks.load.generator import drive
from benchmarks.load.plan import Load, Request, get, post_json

Reply = Callable[[bytes], bytes]
"""Body of a request to the bytes of its answer; nothing: the connection is closed."""


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = "".join(f"{each}\r\n" for each in headers)
    return f"HTTP/1.1 {status}\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while line := self.rfile.readline():
            assert line.startswith((b"POST /x HTTP/1.1", b"GET /x HTTP/1.1"))
            size = 0
            while (header := self.rfile.readline()) not in (b"\r\n", b""):
                name, _, value = header.partition(b":")
                size = int(value) if name == b"Content-Length" else size
            reply = cast(Server, self.server).reply(self.rfile.read(size))
            if not reply:
                return
            self.wfile.write(reply)


class Server(socketserver.ThreadingTCPServer):
    request_queue_size = 128
    block_on_close = True

    def __init__(self, reply: Reply) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.reply = reply

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no error here."""


@contextmanager
def serving(reply: Reply) -> Iterator[int]:
    with Server(reply) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def echo(body: bytes) -> bytes:
    return answer(body)


def requests(*texts: str, units: int = 1) -> list[Request]:
    bodies = [post_json("/x", text) for text in texts]
    return [Request(wire, units, wire.partition(b"\r\n\r\n")[2]) for wire in bodies]


def test_a_closed_loop_counts_every_answer_once() -> None:
    seen: list[bytes] = []

    def note(body: bytes) -> bytes:
        seen.append(body)
        return answer(body)

    with serving(note) as port:
        outcome = drive(Load(port, requests("a", "b", "c", units=5), clients=4, seconds=0.3, warm_up_s=0.1))
    numbers = outcome.numbers()
    assert outcome.num_total == len(seen)
    assert 0 < len(outcome.good_s) < len(seen)  # the warm-up does not count
    assert outcome.statuses == {200: len(outcome.good_s)}
    assert numbers["requests_per_s"] == pytest.approx(len(outcome.good_s) / 0.3)
    assert outcome.num_units == pytest.approx(5 * len(outcome.good_s), rel=0.1, abs=5 * 4)
    assert outcome.most_connections == 4
    assert (outcome.num_different, outcome.num_broken, outcome.num_hung) == (0, 0, 0)
    counts = [seen.count(body) for body in (b'"a"', b'"b"', b'"c"')]
    assert max(counts) - min(counts) <= 1


def test_a_body_that_differs_in_one_byte_is_noticed() -> None:
    with serving(lambda body: answer(body.replace(b"b", b"B"))) as port:
        outcome = drive(Load(port, requests("a", "b"), clients=1, seconds=0.2, warm_up_s=0))
    assert outcome.num_different > 0
    assert abs(outcome.num_different - outcome.num_total / 2) <= 1


def test_other_statuses_are_counted_apart_and_their_bodies_are_not_compared() -> None:
    with serving(lambda body: answer(body) if b"a" in body else answer(b"", "503 Service Unavailable")) as port:
        outcome = drive(Load(port, requests("a", "b"), clients=2, seconds=0.2, warm_up_s=0))
    assert set(outcome.statuses) == {200, 503}
    assert len(outcome.good_s) == outcome.statuses[200]
    assert len(outcome.other_s) == outcome.statuses[503]
    assert outcome.num_different == 0
    assert {"p99_ms", "other_p99_ms"} <= outcome.numbers().keys()


def test_a_connection_that_the_server_means_to_close_is_replaced() -> None:
    with serving(lambda body: answer(body, "200 OK", "Connection: close")) as port:
        outcome = drive(Load(port, requests("a"), clients=2, seconds=0.2, warm_up_s=0))
    assert len(outcome.good_s) > 4
    assert outcome.num_broken == 0


def test_connections_that_are_cut_are_counted_and_made_anew() -> None:
    with serving(lambda body: answer(body) if b"a" in body else b"") as port:
        outcome = drive(Load(port, requests("a", "b"), clients=1, seconds=0.3, warm_up_s=0))
    assert outcome.num_broken > 1
    assert outcome.statuses[200] > 1


def test_a_server_that_is_not_there_is_asked_again_but_not_in_haste() -> None:
    with serving(echo) as port:
        pass
    outcome = drive(Load(port, requests("a"), clients=2, seconds=0.2, warm_up_s=0))
    assert 2 <= outcome.num_broken <= 50
    assert outcome.numbers()["requests_per_s"] == 0


def test_an_answer_that_never_comes_is_hung() -> None:
    released = threading.Event()

    def hold(body: bytes) -> bytes:
        released.wait(30)
        return b""

    with serving(hold) as port:
        outcome = drive(Load(port, requests("a"), clients=3, seconds=0.1, warm_up_s=0, grace_s=0.1))
        released.set()
    assert outcome.num_hung == 3


@pytest.mark.parametrize("most_connections", [1, 100])
def test_an_open_loop_counts_from_the_time_at_which_a_request_was_due(most_connections: int) -> None:
    """Everything waits until the gate opens: what was due early has waited long, however few connections there were."""
    opens_at = time.perf_counter() + 0.4

    def gate(body: bytes) -> bytes:
        time.sleep(max(0.0, opens_at - time.perf_counter()))
        return answer(body)

    load_rate, seconds = 100.0, 0.4
    with serving(gate) as port:
        load = Load(port, requests("a"), rate=load_rate, seconds=seconds, warm_up_s=0, max_connections=most_connections)
        outcome = drive(load)
    latencies = sorted(outcome.good_s)
    assert outcome.num_sent == len(latencies) == pytest.approx(load_rate * seconds, abs=1)
    assert outcome.num_hung == 0
    assert latencies[-1] > 0.3
    # Due evenly over the time before the gate opened: half of them have waited for half of it.
    assert latencies[len(latencies) // 2] > 0.1
    assert (outcome.most_connections == 1) is (most_connections == 1)


@pytest.mark.parametrize("load_rate", [200.0, 2_000.0])
def test_an_open_loop_sends_at_its_rate_and_keeps_connections(load_rate: float) -> None:
    with serving(echo) as port:
        outcome = drive(Load(port, requests("a"), rate=load_rate, seconds=0.5, warm_up_s=0.1))
    assert outcome.num_sent == pytest.approx(0.5 * load_rate, abs=1)
    assert len(outcome.good_s) == outcome.num_sent
    assert outcome.most_connections < 0.25 * load_rate


def test_a_long_answer_counts_as_far_as_it_lies_in_the_time_that_counts() -> None:
    def slow(body: bytes) -> bytes:
        time.sleep(0.2)
        return answer(body)

    with serving(slow) as port:
        outcome = drive(Load(port, requests("a", units=100), clients=2, seconds=0.3, warm_up_s=0))
    latency_s = sum(outcome.good_s) / len(outcome.good_s)
    assert outcome.num_units == pytest.approx(2 * 100 * 0.3 / latency_s, rel=0.25)  # whole answers alone: 200 of 300


def test_connections_come_from_the_address_that_the_load_names() -> None:
    peers = set()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            client, (address, _) = listener.accept()
            with client:
                peers.add(address)
                client.recv(65_536)
                client.sendall(answer(b""))
                client.recv(65_536)

        thread = threading.Thread(target=run)
        thread.start()
        port = listener.getsockname()[1]
        drive(Load(port, requests("a"), clients=1, seconds=0.1, warm_up_s=0, grace_s=0.1, source="127.0.0.2"))
        thread.join()
    assert peers == {"127.0.0.2"}


def test_a_load_has_clients_or_a_rate() -> None:
    for given in ({}, {"clients": 1, "rate": 1.0}):
        with pytest.raises(ValueError, match="either clients"):
            Load(1, requests("a"), **given)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one request"):
        Load(1, [], clients=1)


def test_a_get_needs_no_body() -> None:
    with serving(lambda body: answer(b"fine")) as port:
        outcome = drive(Load(port, [Request(get("/x"), expected=b"fine")], clients=1, seconds=0.1, warm_up_s=0))
    assert outcome.good_s
    assert outcome.num_different == 0


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab", (200, b"ab", False)),
        (b"HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", (503, b"", True)),
        (CHUNKED + b"3\r\nabc\r\n2;x=1\r\nde\r\n0\r\n\r\n", (200, b"abcde", False)),
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"", False)),
    ],
    ids=["length", "closes", "chunks", "no content"],
)
def test_whole_answers(data: bytes, found: tuple[int, bytes, bool]) -> None:
    assert read_answer(data) == (found, 0)
    for end in range(len(data) - 1):
        assert read_answer(data[:end])[0] is None


@pytest.mark.parametrize(
    "data",
    [b"SSH-2.0-x\r\n\r\nab", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab"],
    ids=["no HTTP", "more than one answer"],
)
def test_what_is_no_answer(data: bytes) -> None:
    data = data if b"HTTP" in data else data.replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\n")
    with pytest.raises(BrokenConnectionError):
        read_answer(data)
