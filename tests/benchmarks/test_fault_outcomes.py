"""What became of a request, against servers that do exactly one thing to it."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from benchmarks.faults.connection import Asked, Connection, Outcome
from benchmarks.faults.connection_owners import Death
from benchmarks.faults.kill import split
from benchmarks.faults.known_answers import KnownAnswer, stream_content, version_of
from benchmarks.faults.memory import first_and_last

BODY = b'{"model":"m","version":"1","results":[]}'
OTHER = BODY.replace(b"[]", b"[1]")
KNOWN = KnownAnswer("/v1/tag", b'{"text": "a"}', BODY)
Step = Callable[[socket.socket], None]


def reply(status: str, body: bytes, extra: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body


RIGHT, WRONG = reply("200 OK", BODY), reply("200 OK", OTHER)
PROBLEM = "Content-Type: application/problem+json\r\n"
REFUSAL = reply("503 Service Unavailable", b'{"code":"overloaded"}', PROBLEM + "Retry-After: 1\r\n")
NO_RETRY_AFTER = reply("503 Service Unavailable", b'{"code":"overloaded"}', PROBLEM)


def says(data: bytes) -> Step:
    """Read a request and answer so."""

    def step(client: socket.socket) -> None:
        client.recv(65_536)
        client.sendall(data)

    return step


def reads(client: socket.socket) -> None:
    client.recv(65_536)


def waits_without_reading(client: socket.socket) -> None:
    client.recv(1, socket.MSG_PEEK)


@contextmanager
def serving(*steps: Step) -> Iterator[tuple[int, threading.Thread]]:
    """A server that takes one connection, does these steps and closes it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            client, _ = listener.accept()
            with client:
                for step in steps:
                    step(client)

        thread = threading.Thread(target=run)
        thread.start()
        yield listener.getsockname()[1], thread
        thread.join()


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        pytest.param([says(RIGHT)], Outcome.RIGHT, id="right"),
        pytest.param([says(WRONG)], Outcome.WRONG, id="other bytes"),
        pytest.param([says(REFUSAL)], Outcome.REFUSED, id="refused"),
        pytest.param([says(NO_RETRY_AFTER)], Outcome.FAILED, id="refused without Retry-After"),
        pytest.param([says(RIGHT[:-5])], Outcome.LOST, id="cut"),
        pytest.param([reads], Outcome.LOST, id="read, not answered"),
        pytest.param([waits_without_reading], Outcome.LOST, id="first of its connection, not read"),
        pytest.param([says(RIGHT), says(RIGHT)], Outcome.RIGHT, id="second right"),
        pytest.param([says(RIGHT), reads], Outcome.LOST, id="second read, not answered"),
        pytest.param([says(RIGHT), waits_without_reading], Outcome.CLOSED_IDLE, id="second not read"),
    ],
)
def test_an_outcome_is_told_from_what_the_server_did(steps: list[Step], outcome: Outcome) -> None:
    with serving(*steps) as (port, _):
        connection = Connection(port)
        asked = [connection.ask(KNOWN) for _ in steps]
        connection.close()
    assert asked[-1].outcome is outcome, asked[-1].detail


def test_a_connection_that_was_closed_before_the_request_is_no_loss() -> None:
    with serving(says(RIGHT)) as (port, server):
        connection = Connection(port)
        assert connection.ask(KNOWN).outcome is Outcome.RIGHT
        server.join()  # closed by now
        assert connection.ask(KNOWN).outcome is Outcome.CLOSED_IDLE
        connection.close()


def test_nobody_who_listens_accepts_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert Connection(port).ask(KNOWN).outcome is Outcome.NOT_ACCEPTED


def test_a_request_was_inside_a_dead_worker_only_on_its_connection_and_at_its_time() -> None:
    deaths = [Death(1, 10.0, frozenset({5000}))]

    def lost(port: int, began_at: float, ended_at: float) -> Asked:
        return Asked(Outcome.LOST, KNOWN, began_at, ended_at, port)

    inside, other_port, before, after = lost(5000, 9, 11), lost(5001, 9, 11), lost(5000, 8, 9), lost(5000, 10.5, 11)
    answered = Asked(Outcome.RIGHT, KNOWN, 9, 11, 5001)
    assert split([inside, other_port, before, after, answered], deaths) == ([inside], [other_port, before, after])


def test_an_answer_of_another_version_is_right_only_where_that_is_allowed() -> None:
    later = BODY.replace(b'"1"', b'"12"')
    assert version_of(later) == "12"
    assert KNOWN.is_right_at(later, {"12"})
    assert not KNOWN.is_right_at(later, {"1", "2"})
    assert not KNOWN.is_right_at(OTHER, {"1"})


def test_a_stream_says_the_same_whatever_its_pieces() -> None:
    def stream(*events: object) -> bytes:
        return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + b"data: [DONE]\n\n"

    end = {"index": 0, "finish_reason": "length", "num_tokens": 2}
    whole = stream({"index": 0, "text": "ab"}, end)
    assert stream_content(stream({"index": 0, "text": "a"}, {"index": 0, "text": "b"}, end)) == stream_content(whole)
    assert stream_content(stream({"index": 0, "text": "ac"}, end)) != stream_content(whole)
    assert stream_content(whole.removesuffix(b"data: [DONE]\n\n")) == b"cut"


def test_memory_is_compared_by_medians_of_ten_samples() -> None:
    early = [(number, 100) for number in range(0, 50)]
    warm = [(number, 200) for number in range(50, 58)] + [(58, 900), (59, 900)]
    late = [(number, 210) for number in range(60, 99)] + [(99, 1)]
    assert first_and_last(early + warm + late, 50) == (200, 210)
    assert first_and_last([(0, 100), (70, 300)], 50) == (300, 300)
