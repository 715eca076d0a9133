"""Requests that a connection refuses: what is answered, and whether another request may follow."""

from typing import Any

import pytest

from seqserve.service.server.connection import SMALL_BODY_BYTES
from tests.service.server.apps import GET, HEAD, KEYS, SMALL, echo, in_loop
from tests.service.server.fake_host import connected, settle


@in_loop
def test_what_is_no_http_is_refused_and_the_connection_closed() -> None:
    with connected(echo) as (_, _, client):
        client.say(GET + b"\x16\x03\x01\r\n\r\n" + GET)
        client.hears(b">")
        answer = client.rest()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"The request is not valid HTTP." in answer
        assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("size", [0, 2, SMALL_BODY_BYTES])
@in_loop
def test_a_refused_request_with_a_small_body_keeps_its_connection(size: int) -> None:
    with connected(echo, **KEYS) as (_, _, client):
        head = HEAD.replace(b" / ", b" /v1/tag ") + b"Content-Length: %d\r\n\r\n" % size
        client.say(head)
        client.say(b"x" * size + GET)
        assert client.hears(b">").endswith(b"</v1/tag unauthorized>")
        assert client.hears(b">").endswith(b"</ >")


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: %d\r\n" % (SMALL_BODY_BYTES + 1),
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 2\r\nExpect: 100-continue\r\n",
    ],
    ids=["large", "chunks", "expects leave"],
)
@in_loop
def test_a_refused_request_with_another_body_is_answered_before_it(headers: bytes) -> None:
    with connected(echo, **KEYS) as (_, _, client):
        client.say(HEAD.replace(b" / ", b" /v1/tag ") + headers + b"\r\n")
        answer = client.rest()
        assert answer.startswith(b"HTTP/1.1 401 ")
        assert b"\r\nConnection: close\r\n" in answer
        assert b"100 Continue" not in answer


@in_loop
def test_a_refusal_before_the_body_is_the_only_answer() -> None:
    """What follows in the same bytes is thrown away, be it a body or a request."""
    with connected(echo, max_body_bytes=20_000) as (_, _, client):
        client.say(HEAD + b"Content-Length: 20001\r\n\r\n" + GET)
        answer = client.rest()
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert answer.count(b"HTTP/1.1") == 1


@in_loop
def test_a_refused_client_that_has_left_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    with connected(echo, max_body_bytes=20_000) as (host, _, client):
        client.socket.sendall(HEAD + b"Content-Length: 30000\r\n\r\n" + b"x" * 100)
        client.socket.close()
        settle()
        assert host.num_forgotten == 1
        assert host.room.bytes.held == 0
        assert host.states == ["idle", "answering"]
    assert not caplog.records


@in_loop
def test_a_client_that_does_not_read_its_refusal_gets_it_once() -> None:
    def fill(socket: Any) -> None:
        try:
            while True:
                socket.send(b"x")
        except BlockingIOError:
            pass

    with connected(echo, max_body_bytes=20_000) as (host, connection, client):
        fill(connection._socket)
        client.say(HEAD + b"Content-Length: 20001\r\n\r\n" + GET)
        assert host.states[-1] == "answering"
        answer = client.rest().lstrip(b"x")
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert answer.count(b"HTTP/1.1") == 1


@in_loop
def test_leave_to_send_is_given_once_and_only_where_the_body_is_awaited() -> None:
    waiting = HEAD + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    with connected(echo) as (_, _, client):
        client.say(waiting)
        assert client.unread == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.say(b"hi")
        client.hears(b"</ hi>")
        client.say(waiting + b"hi")
        assert b"100 Continue" not in client.hears(b"</ hi>")


@in_loop
def test_a_client_that_leaves_while_it_waits_for_leave_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    with connected(echo) as (host, _, client):
        client.socket.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        client.socket.close()
        settle()
        assert host.num_forgotten == 1
    assert not caplog.records


@in_loop
def test_an_overloaded_process_refuses_at_once_and_keeps_the_connection() -> None:
    with connected(echo, max_requests=1) as (host, _, client):
        host.room.begin_request("another")
        client.say(SMALL * 2)
        for _ in range(2):
            head = client.hears(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 ")
            assert b"Connection: keep-alive" in head
            client.hears(b"}")
        host.room.end_request("another")
        client.say(SMALL)
        client.hears(b"</ hi>")


@in_loop
def test_operators_are_answered_when_clients_have_taken_everything() -> None:
    with connected(echo, for_operators=True, max_requests=1) as (host, _, client):
        host.room.begin_request("another")
        host.room.hold("another", host.settings.max_buffered_bytes)
        client.say(SMALL + GET)
        assert client.hears(b">").endswith(b"</ hi>")
        assert client.hears(b">").endswith(b"</ >")
        host.room.end_request("another")
        host.room.release("another", host.settings.max_buffered_bytes)
