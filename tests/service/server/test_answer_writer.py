"""Answers to bytes: heads, bodies, chunks, and clients that read slowly or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import pytest

from seqserve.service.server import answer_writer
from seqserve.service.server.answer_writer import AnswerWriter
from tests.service.server.apps import in_loop
from tests.service.server.fake_host import Client, socket_pair

LARGE = bytes(range(256)) * 16 * 1024


@contextmanager
def written_to() -> Iterator[tuple[AnswerWriter, Client]]:
    """Yield a writer and the client that reads it."""
    ours, theirs = socket_pair()
    with ours, theirs:
        yield AnswerWriter(ours), Client(theirs)


def environ(method: str = "GET", version: str = "1.1") -> dict[str, Any]:
    return {"REQUEST_METHOD": method, "SERVER_PROTOCOL": f"HTTP/{version}"}


@pytest.mark.parametrize("keep_alive", [True, False])
@in_loop
def test_a_whole_answer(keep_alive: bool) -> None:
    with written_to() as (writer, client):
        writer.begin(environ(), keep_alive=keep_alive)
        writer.start_response("200 OK", [("X-A", "\xe4"), ("X-A", "b")])
        writer.send_whole(b"abc")
        first, *lines = client.hears(b"\r\n\r\n").decode("latin-1").split("\r\n")
        assert first == "HTTP/1.1 200 OK"
        assert lines[0].startswith("Date: ")
        assert lines[0].endswith(" GMT")
        connection = f"Connection: {'keep-alive' if keep_alive else 'close'}"
        assert lines[1:] == [connection, "X-A: \xe4", "X-A: b", "Content-Length: 3", "", ""]
        assert client.hears(b"abc") == b"abc"
        assert writer.keeps_alive is keep_alive


@in_loop
def test_nothing_of_an_answer_is_left_to_the_next() -> None:
    with written_to() as (writer, client):
        writer.begin(environ("HEAD", "1.0"), keep_alive=False)
        writer.start_response("404 Not Found", [("X-A", "b")])
        writer.send_whole(b"abc")
        client.hears(b"\r\n\r\n")
        writer.begin(environ(), keep_alive=True)
        writer.start_response("200 OK", [])
        writer.send_pieces([b"abc"])
        head = client.hears(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK")
        assert b"X-A" not in head
        assert client.hears(b"0\r\n\r\n") == b"3\r\nabc\r\n0\r\n\r\n"


@in_loop
def test_others_run_between_the_pieces_of_a_stream() -> None:
    ran: list[str] = []

    def pieces() -> Iterator[bytes]:
        for number in range(3):
            ran.append(f"piece {number}")
            gevent.spawn(ran.append, "other")
            yield b"x"

    with written_to() as (writer, _):
        writer.begin(environ(), keep_alive=True)
        writer.start_response("200 OK", [])
        writer.send_pieces(pieces())
    assert ran == ["piece 0", "other", "piece 1", "other", "piece 2", "other"]


@in_loop
def test_a_large_answer_goes_as_fast_as_it_is_read() -> None:
    with written_to() as (writer, client):
        sending = gevent.spawn(writer.send, LARGE)
        received = bytearray()
        while len(received) < len(LARGE):
            received += client.socket.recv(100_000)
        sending.get(timeout=20)
        assert received == LARGE


@in_loop
def test_a_client_that_reads_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_writer, "STALL_LIMIT_S", 0.02)
    monkeypatch.setattr(answer_writer, "_LOOK_S", 0.005)
    with written_to() as (writer, _), pytest.raises(TimeoutError, match="has read nothing"):
        writer.send(LARGE)


@in_loop
def test_a_client_that_leaves_ends_the_sending() -> None:
    with written_to() as (writer, client):
        sending = gevent.spawn(writer.send, LARGE)
        client.socket.recv(1000)
        client.socket.close()
        sending.join(timeout=20)
        assert isinstance(sending.exception, OSError)
