"""What a connection holds of the account of its process, and that it gives it back in every way a request can end."""

from collections.abc import Iterator
from typing import Any

import gevent
import pytest

from seqserve.service.context import CLIENT
from tests.service.server.apps import GET, HEAD, KEYS, SMALL, Slow, echo, in_loop
from tests.service.server.fake_host import connected, settle


def failing(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    raise ZeroDivisionError


def failing_late(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [])
    yield b"one"
    raise ZeroDivisionError


def left(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("499 Client Closed Request", [])
    return [b""]


@pytest.mark.parametrize(
    ("app", "answer"), [(failing, b""), (failing_late, b"3\r\none\r\n"), (left, b"")], ids=["at once", "late", "left"]
)
@in_loop
def test_an_app_that_fails_gives_no_second_answer(app: Any, answer: bytes) -> None:
    with connected(app) as (host, _, client):
        client.say(SMALL + GET)
        assert client.rest().rpartition(b"\r\n\r\n")[2] == answer
        assert (host.room.bytes.held, host.room.requests.held, host.num_forgotten) == (0, 0, 1)


@in_loop
def test_bytes_are_held_from_the_first_to_the_end_of_the_answer() -> None:
    app = Slow()
    with connected(app) as (host, _, client):
        client.say(SMALL[:10])
        assert host.room.bytes.held_by("1.2.3.4") == 10
        client.say(SMALL[10:])
        assert host.room.bytes.held_by("1.2.3.4") == len(SMALL)
        app.may_answer.set()
        client.hears(b">")
        settle()
        assert host.room.bytes.held == 0


@in_loop
def test_bytes_and_requests_are_those_of_the_key_and_then_of_the_address_again() -> None:
    seen: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ[CLIENT])
        assert host.room.bytes.held_by(environ[CLIENT]) == host.room.bytes.held > 0
        assert host.room.requests.held_by(environ[CLIENT]) == 1
        return echo(environ, start_response)

    with connected(app, **KEYS) as (host, _, client):
        for key in (b"right", b"wrong"):
            client.say(HEAD.replace(b" / ", b" /v1/tag ") + b"Authorization: Bearer %b\r\n" % key)
            assert host.room.bytes.held_by("1.2.3.4") > 0
            client.say(b"\r\n")
            client.hears(b">")
    assert seen == ["key 0", "1.2.3.4"]


@in_loop
def test_a_client_that_leaves_in_the_middle_of_a_stream_gives_everything_back() -> None:
    closed = []

    def endless() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 10_000
        finally:
            closed.append(True)

    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        return endless()

    with connected(app) as (host, _, client):
        client.say(SMALL)
        assert host.room.bytes.held == len(SMALL)
        client.socket.close()
        with gevent.Timeout(20):
            while not host.num_forgotten:
                gevent.sleep(0)
    assert closed == [True]


@in_loop
def test_an_answer_for_which_there_is_no_room_is_refused() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"x" * 3_000_000]

    with connected(app, max_buffered_bytes=2 * 1024 * 1024) as (host, _, client):
        host.room.hold("another", 1)
        client.say(SMALL + GET)
        answer = client.rest()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"max_buffered_bytes" in answer
        assert answer.count(b"HTTP/1.1") == 1
        assert host.room.bytes.held == 1
        host.room.release("another", 1)


@in_loop
def test_an_answer_larger_than_the_account_is_given_while_nothing_else_is_held() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"x" * 3_000_000]

    with connected(app, max_buffered_bytes=2 * 1024 * 1024) as (_, _, client):
        client.say(SMALL.replace(b"Host: a", b"Host: a\r\nConnection: close"))
        assert client.rest().startswith(b"HTTP/1.1 200 ")


@in_loop
def test_a_body_for_which_there_is_no_room_is_refused_before_it_comes() -> None:
    with connected(echo, max_buffered_bytes=2 * 1024 * 1024) as (host, _, client):
        host.room.hold("another", 1024 * 1024)
        client.say(HEAD + b"Content-Length: 1500000\r\n\r\n")
        assert client.rest().startswith(b"HTTP/1.1 503 ")
        assert host.room.bytes.held == 1024 * 1024
        host.room.release("another", 1024 * 1024)
