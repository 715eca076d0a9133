"""One client's connection: requests one at a time, each in its turn, and ends of all kinds."""

from typing import Any

import pytest

from tests.service.server.apps import GET, HEAD, SMALL, Slow, echo, in_loop, streamed
from tests.service.server.fake_host import connected, settle


@in_loop
def test_a_connection_is_kept_from_one_request_to_the_next() -> None:
    with connected(echo) as (host, _, client):
        for number in range(3):
            client.say(SMALL.replace(b" / ", b" /%d " % number))
            answer = client.hears(b">")
            assert answer.endswith(b"</%d hi>" % number)
            assert b"\r\nConnection: keep-alive\r\n" in answer
            settle()
            assert host.room.bytes.held == 0
        assert host.states == ["idle", *["answering", "idle"] * 3]


@in_loop
def test_a_request_byte_by_byte() -> None:
    with connected(echo) as (host, _, client):
        for value in SMALL:
            client.say(bytes((value,)))
        client.hears(b"</ hi>")
        # Noted once, or the connection would move behind those that began after it.
        assert host.states == ["idle", "reading", "answering", "idle"]


@in_loop
def test_a_pipeline_is_answered_one_request_at_a_time_and_in_its_order() -> None:
    app = Slow()
    with connected(app) as (host, _, client):
        client.say(SMALL.replace(b" / ", b" /1 ") + GET.replace(b" / ", b" /2 ") + GET.replace(b" / ", b" /3 "))
        assert app.begun == ["/1"]
        assert host.room.requests.held == 1
        app.may_answer.set()
        assert b"</1 hi>" in client.hears(b">")
        assert b"</2 >" in client.hears(b">")
        assert b"</3 >" in client.hears(b">")
    assert app.begun == ["/1", "/2", "/3"]


@in_loop
def test_a_pipeline_waits_for_other_clients_between_its_requests() -> None:
    order: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        order.append(environ["PATH_INFO"])
        host.turns.add("another client", lambda: order.append("another"))
        return echo(environ, start_response)

    with connected(app) as (host, _, client):
        client.say(GET * 3)
        for _ in range(3):
            client.hears(b">")
    assert order[:4] == ["/", "another", "/", "another"]


@in_loop
def test_nothing_is_read_while_a_request_is_answered() -> None:
    app = Slow()
    with connected(app) as (host, connection, client):
        client.say(SMALL)
        held = host.room.bytes.held
        client.say(GET * 100)
        connection.close_idle()
        assert host.room.bytes.held == held == len(SMALL)
        app.may_answer.set()
        for _ in range(101):
            client.hears(b">")


@pytest.mark.parametrize("app", [echo, streamed], ids=["whole", "in pieces"])
@pytest.mark.parametrize("request_head", [b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"])
@in_loop
def test_an_answer_to_head_has_no_body(app: Any, request_head: bytes) -> None:
    with connected(app) as (_, _, client):
        client.say(request_head)
        assert b"HTTP/1.1 200 OK" in client.hears(b"\r\n\r\n")
        assert client.unread == b""
        client.say(request_head)
        client.hears(b"\r\n\r\n")


@in_loop
def test_a_stream_comes_in_chunks() -> None:
    with connected(streamed) as (_, _, client):
        client.say(GET)
        assert b"Transfer-Encoding: chunked" in client.hears(b"\r\n\r\n")
        assert client.hears(b"0\r\n\r\n") == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"


@in_loop
def test_a_stream_to_an_old_client_ends_with_the_connection() -> None:
    with connected(streamed) as (_, _, client):
        client.say(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        head = client.hears(b"\r\n\r\n")
        assert b"Transfer-Encoding" not in head
        assert b"Connection: close" in head
        assert client.rest() == b"onetwo"


@pytest.mark.parametrize("sheds_clients", [False, True])
@in_loop
def test_a_connection_that_is_not_kept_is_closed(sheds_clients: bool) -> None:
    with connected(echo) as (host, _, client):
        host.sheds_clients = sheds_clients
        client.say(GET if sheds_clients else GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert b"\r\nConnection: close\r\n" in client.hears(b">")
        client.say(GET)  # is not answered any more
        assert client.rest() == b""
        assert host.states[-1] == "closing"


@pytest.mark.parametrize("sent", [b"", GET, HEAD], ids=["nothing", "a request", "half a head"])
@in_loop
def test_a_client_that_ends_outside_of_a_body_is_let_go(sent: bytes) -> None:
    with connected(echo) as (host, _, client):
        client.say(sent)
        if sent == GET:
            client.hears(b">")
        client.end()
        assert client.rest() == b""
        assert host.num_forgotten == 1


@pytest.mark.parametrize("framing", [b"Content-Length: 9\r\n\r\nhi", b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"])
@in_loop
def test_a_client_that_ends_in_a_body_is_told(framing: bytes) -> None:
    with connected(echo) as (_, _, client):
        client.say(HEAD + framing)
        client.end()
        answer = client.rest()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"The body ended before its announced end." in answer


@in_loop
def test_hurry_closes_an_idle_connection() -> None:
    with connected(echo) as (host, connection, client):
        connection.close_idle()
        assert host.num_forgotten == 1
        assert client.rest() == b""


@pytest.mark.parametrize("cut", [1, len(HEAD), len(SMALL) - 1, len(SMALL)])
@in_loop
def test_hurry_never_drops_a_request_that_is_there(cut: int) -> None:
    with connected(echo) as (_, connection, client):
        client.socket.sendall(SMALL[:cut])  # the loop has not seen it yet
        connection.close_idle()
        connection.close_idle()
        client.say(SMALL[cut:])
        client.hears(b"</ hi>")


@pytest.mark.parametrize("sent", [b"P", HEAD, SMALL[:-1]])
@in_loop
def test_a_request_that_takes_too_long_is_cut(sent: bytes) -> None:
    with connected(echo) as (host, connection, client):
        client.say(sent)
        assert host.room.bytes.held == len(sent)
        connection.expire()
        assert host.room.bytes.held == 0
        assert client.rest() == b""


@in_loop
def test_a_client_that_goes_on_sending_after_its_refusal_is_cut() -> None:
    with connected(echo) as (host, connection, client):
        client.say(b"\x00")
        client.say(b"x" * 100_000)
        assert (host.num_forgotten, host.states[-1]) == (0, "closing")
        connection.expire()
        assert host.num_forgotten == 1
