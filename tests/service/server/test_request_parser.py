"""Bytes to requests: WSGI keys, bodies, and what follows in the same bytes."""

import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from seqserve.service.errors import MalformedJsonError
from seqserve.service.server import request_parser
from seqserve.service.server.request_parser import RequestParser
from tests.service.server.feeding import CHUNKED, HEAD, MAX_BODY_BYTES, each_step, feed, parsed


def environ_of(data: bytes) -> dict[str, Any]:
    environ = parsed(data).environ
    assert environ is not None
    return environ


def requests_in(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield path and body of each request of a pipeline."""
    parser, position = RequestParser({}, max_body_bytes=MAX_BODY_BYTES), 0
    while position < len(data):
        position = parser.feed(data, position)
        if parser.is_complete:
            assert parser.environ is not None
            yield parser.environ["PATH_INFO"], parser.body
            parser.reset()


@pytest.mark.parametrize(
    ("version", "header", "keeps_alive"),
    [
        (b"1.1", b"", True),
        (b"1.1", b"Connection: close\r\n", False),
        (b"1.1", b"Connection: x, Close\r\n", False),
        (b"1.1", b"Connection: keep-alive\r\n", True),
        (b"1.0", b"", False),
        (b"1.0", b"Connection: Keep-Alive\r\n", True),
        (b"1.0", b"Connection: close\r\n", False),
        (b"1.1", b"Connection: upgrade\r\nUpgrade: x\r\n", True),
    ],
)
def test_whether_a_connection_is_kept(version: bytes, header: bytes, keeps_alive: bool) -> None:
    data = b"GET / HTTP/%b\r\nHost: a\r\n%b\r\n" % (version, header)
    assert parsed(data).keeps_alive is keeps_alive


@pytest.mark.parametrize(("version", "expects"), [(b"1.1", True), (b"1.0", False)])
def test_a_client_that_waits_for_leave_to_send(version: bytes, expects: bool) -> None:
    data = b"POST / HTTP/%b\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\nabc" % version
    parser = RequestParser({}, max_body_bytes=MAX_BODY_BYTES)
    assert parser.feed(data, 0) == len(data) - 3
    assert (parser.expects_continue, parser.is_complete, parser.num_missing) == (expects, False, 3)


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/v1/tag", "/v1/tag", ""),
        (b"/v1/tag?a=%20&b=?", "/v1/tag", "a=%20&b=?"),
        (b"/%41%2f%c3%A4", "/A/\xc3\xa4", ""),
        (b"/%zz%4%", "/%zz%4%", ""),
        (b"/%+1%-1%1_", "/%+1%-1%1_", ""),
        (b"http://b/x?y", "/x", "y"),
        (b"https://b?y/z", "/", "y/z"),
        (b"http://b", "/", ""),
        (b"//b/x", "//b/x", ""),
        (b"/?http://b/x", "/", "http://b/x"),
    ],
)
def test_the_target_in_wsgi(target: bytes, path: str, query: str) -> None:
    environ = environ_of(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % target)
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == (path, query)


def test_targets_that_are_no_address_match_no_route() -> None:
    assert environ_of(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")["PATH_INFO"] == "*"
    assert environ_of(b"CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n")["PATH_INFO"] == "b:443"


def test_headers_in_wsgi() -> None:
    headers = b"Content-Type: \t text/plain \r\nContent-Length: 0\r\nX-A: 1\r\nx-a: 2\r\nX-High: \xe4\r\nX_A: 3\r\n"
    assert environ_of(HEAD + headers + b"\r\n") == {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "a",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "0",
        "HTTP_X_A": "1,2",
        "HTTP_X_HIGH": "\xe4",
    }


def test_a_header_cannot_pass_for_a_key_of_the_connection() -> None:
    parser = RequestParser({"REMOTE_ADDR": "1.2.3.4"}, max_body_bytes=MAX_BODY_BYTES)
    feed(parser, HEAD + b"Remote-Addr: 5.6.7.8\r\nREMOTE_ADDR: 5.6.7.8\r\n\r\n")
    assert parser.environ is not None
    assert parser.environ["REMOTE_ADDR"] == "1.2.3.4"
    assert parser.environ["HTTP_REMOTE_ADDR"] == "5.6.7.8"


@pytest.mark.parametrize(
    "length", [b"3", b"3 ", b"0003", b"0" * 5000 + b"3"], ids=["3", "3 and a space", "0003", "zeros"]
)
def test_a_length_reaches_the_app_as_the_parser_understood_it(length: bytes) -> None:
    parser = parsed(HEAD + b"Content-Length: %b\r\n\r\nabc" % length)
    assert parser.environ is not None
    assert (parser.environ["CONTENT_LENGTH"], parser.content_length, parser.body) == ("3", 3, b"abc")


BODIES = {
    "none": (HEAD + b"\r\n", b""),
    "a length": (HEAD + b"Content-Length: 4\r\n\r\n\r\n\r\n", b"\r\n\r\n"),
    "chunks": (CHUNKED + b"3\r\nabc\r\n4\r\n\r\n\r\n\r\n0\r\n\r\n", b"abc\r\n\r\n"),
    "zeros before sizes": (CHUNKED + b"003\r\nabc\r\n000\r\n\r\n", b"abc"),
    "extensions": (CHUNKED + b'3;a=b;c="d"\r\nabc\r\n0;e\r\n\r\n', b"abc"),
    "trailers": (CHUNKED + b"3\r\nabc\r\n0\r\nHost: b\r\nX: y\r\n\r\n", b"abc"),
    "an upgrade": (HEAD + b"Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 4\r\n\r\n\r\n\r\n", b"\r\n\r\n"),
    "an upgrade without a body": (HEAD + b"Connection: upgrade\r\nUpgrade: x\r\n\r\n", b""),
    "CONNECT": (b"CONNECT b:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
}


@each_step
@pytest.mark.parametrize(("data", "body"), BODIES.values(), ids=BODIES)
def test_a_request_ends_with_its_body(data: bytes, body: bytes, step: int) -> None:
    parser = parsed(data, step)
    assert parser.body == body
    assert parser.num_bytes == len(data)
    assert parser.num_missing == 0
    assert parser.environ is not None
    assert parser.environ["HTTP_HOST"] == "a"


def test_a_pipeline_is_read_one_request_at_a_time() -> None:
    pieces = [data.replace(b" / ", b" /%d " % number) for number, (data, _) in enumerate(BODIES.values())]
    found = list(requests_in(b"\r\n".join(pieces)))
    paths = [f"/{number}" for number in range(len(BODIES) - 1)] + ["b:1"]
    assert found == list(zip(paths, (body for _, body in BODIES.values()), strict=True))


def test_it_stops_where_a_head_is_complete() -> None:
    parser = RequestParser({}, max_body_bytes=MAX_BODY_BYTES)
    head = HEAD + b"Content-Length: 3\r\n\r\n"
    assert parser.feed(head + b"abcGET", 0) == len(head)
    assert (parser.is_complete, parser.num_missing) == (False, 3)
    assert parser.feed(head + b"abcGET", len(head)) == len(head) + 3
    assert parser.is_complete


def test_a_body_that_is_thrown_away_is_read_to_its_end() -> None:
    parser = RequestParser({}, max_body_bytes=MAX_BODY_BYTES)
    data = HEAD + b"Content-Length: 150\r\n\r\n" + b"x" * 150
    position = parser.feed(data, 0)
    parser.discards = True
    assert feed(parser, data[position:], 40) == 150
    assert (parser.is_complete, parser.body) == (True, b"")


def test_nothing_of_a_request_is_left_to_the_next() -> None:
    parser = parsed(
        HEAD + b"Expect: 100-continue\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    )
    assert parser.has_begun
    parser.reset()
    assert not parser.has_begun
    assert (parser.environ, parser.body, parser.num_bytes, parser.num_missing) == (None, b"", 0, 0)
    assert not any((parser.is_complete, parser.is_chunked, parser.expects_continue, parser.keeps_alive))


def test_a_closed_connection_is_refused_what_follows() -> None:
    parser = parsed(HEAD + b"Connection: close\r\n\r\n")
    parser.reset()
    with pytest.raises(MalformedJsonError):
        parser.feed(HEAD, 0)


def test_a_body_in_small_pieces_takes_no_more_memory_than_its_size() -> None:
    size = 400_000
    parser = RequestParser({}, max_body_bytes=size)
    data = CHUNKED + b"5\r\nabcde\r\n" * (size // 5)
    tracemalloc.start()
    try:
        feed(parser, data, 16 * 1024)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(parser.body) == size
    assert held < 2 * size


def test_names_made_up_by_clients_fill_no_memory() -> None:
    for number in range(1000):
        parsed(HEAD + b"X-%d: y\r\n\r\n" % number)
    assert len(request_parser._keys) <= request_parser._MOST_KEYS
    assert environ_of(HEAD + b"X-Never-Seen: y\r\n\r\n")["HTTP_X_NEVER_SEEN"] == "y"
