"""Hostile clients: what they send and do, and what is made of what was seen beside them."""

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.faults import greedy, hostile, slow_reader
from benchmarks.faults.beside import Seen
from benchmarks.faults.clients import wait_until
from benchmarks.faults.hostile_clients import SOURCE, Deeds, Hostility, Reading, attack
from benchmarks.faults.hostilities import hostilities
from benchmarks.faults.known_answers import KnownAnswer
from benchmarks.load.plan import Outcome, get

LIMIT_BYTES = 2 * 1024 * 1024
FAR_S = 10.0
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
ALL = hostilities("m")


class Victim:
    """A server that reads all that comes, answers each connection's first bytes, and closes those that ask for it."""

    def __init__(self, reply: bytes, *, closes: bool) -> None:
        self.received: dict[tuple[str, int], bytes] = {}
        self.listener = socket.create_server(("127.0.0.1", 0))
        self._reply, self._closes = reply, closes
        self._threads: list[threading.Thread] = []

    @property
    def port(self) -> int:
        port: int = self.listener.getsockname()[1]
        return port

    def run(self) -> None:
        while True:
            try:
                client, address = self.listener.accept()
            except OSError:
                break
            thread = threading.Thread(target=self._talk, args=(client, address))
            thread.start()
            self._threads.append(thread)
        for thread in self._threads:
            thread.join()

    def _talk(self, client: socket.socket, address: tuple[str, int]) -> None:
        self.received[address] = b""
        with client:
            try:
                while data := client.recv(65_536):
                    if not self.received[address]:
                        client.sendall(self._reply)
                    self.received[address] += data
                    if self._closes:
                        return
            except OSError:
                return


@contextmanager
def victim(reply: bytes = REPLY, *, closes: bool = False) -> Iterator[Victim]:
    server = Victim(reply, closes=closes)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        thread.join()


@contextmanager
def attacked(hostility: Hostility, server: Victim) -> Iterator[list[Deeds]]:
    """Attack until the end of the block; the list holds the deeds after it."""
    stop, deeds = threading.Event(), []
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(attack, hostility, server.port, FAR_S, stop=stop)
        try:
            yield deeds
        finally:
            stop.set()
        deeds.append(under_way.result())


def test_each_has_a_name_of_its_own() -> None:
    assert len({each.name for each in ALL}) == len(ALL)


@pytest.mark.parametrize("hostility", [each for each in ALL if "2 MiB of" in each.name], ids=lambda each: each.name)
def test_a_bomb_is_json_of_just_the_size_that_is_allowed(hostility: Hostility) -> None:
    head, _, body = hostility.data.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    inflated = gzip.decompress(body) if b"gzip" in head else body
    assert 0.9 * LIMIT_BYTES < len(inflated) <= LIMIT_BYTES
    assert isinstance(json.loads(inflated), dict)


def test_data_is_sent_once_and_its_answer_read() -> None:
    with victim() as server, attacked(Hostility("x", get("/a"), connections=3), server) as deeds:
        assert wait_until(lambda: list(server.received.values()) == [get("/a")] * 3, FAR_S)
        assert {address for address, _ in server.received} == {SOURCE}
    assert (deeds[0].num_opened, deeds[0].num_sent) == (3, 3 * len(get("/a")))
    assert deeds[0].numbers()["most_open"] == 3


def test_data_is_sent_again_and_again_where_it_repeats() -> None:
    with victim() as server, attacked(Hostility("x", get("/a"), repeats=True), server) as deeds:
        assert wait_until(lambda: any(len(each) > 10 * len(get("/a")) for each in server.received.values()), FAR_S)
    assert deeds[0].num_opened == 1


def test_a_connection_that_ends_is_opened_again() -> None:
    with victim(closes=True) as server, attacked(Hostility("x", get("/a")), server) as deeds:
        assert wait_until(lambda: len(server.received) >= 3, FAR_S)
    assert deeds[0].num_ended >= 2
    assert deeds[0].statuses["200"] >= 2


@pytest.mark.parametrize(
    ("reading", "reads"), [(Reading.NEVER, False), (Reading.SLOWLY, True), (Reading.LATE, True)], ids=str
)
def test_how_answers_are_read(reading: Reading, reads: bool) -> None:
    hostility = Hostility("x", get("/a"), reading=reading, late_s=0.1)
    with victim(REPLY + 1000 * b" ") as server:
        with attacked(hostility, server) as deeds:
            assert wait_until(lambda: get("/a") in server.received.values(), FAR_S)
            threading.Event().wait(0.4)
        assert bool(deeds[0].num_read) == reads


def test_connections_are_closed_at_once() -> None:
    with victim() as server, attacked(Hostility("x", hangs_up=True), server) as deeds:
        assert wait_until(lambda: len(server.received) >= 3, FAR_S)
    assert deeds[0].num_opened >= 3
    assert set(server.received.values()) == {b""}


def seen(*latencies_s: float, num_broken: int = 0, num_hung: int = 0) -> Seen:
    outcome = Outcome(seconds=5.0, good_s=list(latencies_s), num_broken=num_broken, num_hung=num_hung)
    return Seen([outcome], probes_s=[0.001], memory_bytes=200 << 20)


def test_an_honest_client_that_got_no_answer_has_waited_for_the_whole_round() -> None:
    assert seen(0.01, 0.02).quantile_ms(0.99) == 20
    assert seen(0.01, num_hung=1).quantile_ms(0.99) == 5000
    assert seen().quantile_ms(0.99) == float("inf")


def row(beside: Seen, *, same_workers: bool = True) -> hostile.Row:
    return hostile.Row(ALL[0], seen(0.01), beside, [Deeds()], same_workers, 2)


def test_the_promise_beside_hostile_clients() -> None:
    def broken(given: hostile.Row) -> list[str]:
        return [each.what.partition(" beside")[0] for each in hostile.measures([given]) if not each.holds]

    assert broken(row(seen(0.09))) == []
    assert broken(row(seen(0.11))) == ["honest p99"]
    assert broken(row(seen(0.01, num_broken=1))) == ["honest p99"]
    assert broken(row(replace(seen(0.01), ops_probes_s=[0.2]))) == ["probes of the ops port, p99"]
    assert broken(row(seen(0.01), same_workers=False)) == ["the same workers at the end"]
    assert broken(row(replace(seen(0.01), num_probes_failed=1))) == ["probes that failed"]
    assert broken(row(replace(seen(0.01), memory_bytes=900 << 20))) == ["memory of all processes"]
    json.dumps(hostile.figures(row(seen(0.01))))


def test_the_promise_beside_greedy_clients() -> None:
    def holds(beside: Seen) -> bool:
        made = greedy.Row(greedy.greeds()[0], seen(0.01), beside, [Outcome(seconds=5.0)])
        json.dumps(greedy.figures(made))
        return greedy.measure(made).holds

    assert holds(seen(0.03))
    assert not holds(seen(0.031))
    assert not holds(seen(0.01, num_broken=1))


def test_the_language_model_is_taken_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / "lm-other").mkdir()
    assert hostile.language_model(tmp_path) == "lm-other"
    (tmp_path / "lm-char-en").mkdir()
    assert hostile.language_model(tmp_path) == "lm-char-en"


@pytest.mark.parametrize("cut", [0, 5_000], ids=["whole", "cut"])
def test_a_slow_reader_says_what_it_got(cut: int) -> None:
    body = b"ab" * 10_000
    sent = body[: len(body) - cut] if cut else body
    reply = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + sent
    with victim(reply, closes=True) as server:
        read, _, reason = slow_reader.read_slowly(server.port, KnownAnswer("/a", b"{}", body), bytes_per_s=1e6)
    assert (read == body) == (not cut)
    assert bool(reason) == bool(cut)
