"""How bodies travel: content types, compression, chunks, sizes, broken framing; through a real server."""

import gzip
import http.client
import json
import socket
import zlib
from collections.abc import Callable, Iterator

import pytest

from tests.live.problems import FINE, check_problem
from tests.live.served import Served


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", ""]
)
def test_unsupported_content_type(server: Served, kind: str) -> None:
    check_problem(server.post(FINE, headers={"Content-Type": kind}), 415, "unsupported_media_type")


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "compress"])
def test_unsupported_content_encoding(server: Served, coding: str) -> None:
    check_problem(server.post(FINE, headers={"Content-Encoding": coding}), 415, "unsupported_media_type")


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


@pytest.mark.parametrize(
    ("coding", "compress"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("identity", bytes),
    ],
    ids=["gzip", "x-gzip", "zlib", "raw deflate", "identity"],
)
def test_compressed_bodies(server: Served, coding: str, compress: Callable[[bytes], bytes]) -> None:
    reply = server.post(compress(json.dumps(FINE).encode()), headers={"Content-Encoding": coding})
    assert reply.status == 200
    assert reply.body == server.post(FINE).body


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_broken_compression(server: Served, coding: str) -> None:
    check_problem(server.post(b"no such thing", headers={"Content-Encoding": coding}), 400, "malformed_json")
    cut = gzip.compress(json.dumps(FINE).encode())[:-9] if coding == "gzip" else zlib.compress(b" " * 5000)[:-5]
    check_problem(server.post(cut, headers={"Content-Encoding": coding}), 400, "malformed_json")


def test_gzip_of_several_members(server: Served) -> None:
    body = json.dumps(FINE).encode()
    parts = gzip.compress(body[:9]) + gzip.compress(b"") + gzip.compress(body[9:])
    assert server.post(parts, headers={"Content-Encoding": "gzip"}).body == server.post(body).body
    many = server.post(gzip.compress(b"") * 100_000, headers={"Content-Encoding": "gzip"})
    assert "members" in check_problem(many, 400, "malformed_json")["detail"]


def test_payload_too_large(server: Served) -> None:
    check_problem(server.post(b" " * (2 * 1024 * 1024 + 1)), 413, "payload_too_large")


def test_a_client_that_sends_far_too_much_gets_to_read_why(server: Served) -> None:
    check_problem(server.post(b" " * 20_000_000), 413, "payload_too_large")


@pytest.mark.parametrize(("coding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_payload_too_large_after_decompression(server: Served, coding: str, compress: Callable[[bytes], bytes]) -> None:
    bomb = compress(b" " * 200_000_000)
    assert len(bomb) < 1_000_000
    check_problem(server.post(bomb, headers={"Content-Encoding": coding}), 413, "payload_too_large")


def chunked(server: Served, chunks: Iterator[bytes]) -> tuple[int, dict]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request(
            "POST", "/v1/tag", body=chunks, headers={"Content-Type": "application/json"}, encode_chunked=True
        )
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_chunked_body(server: Served) -> None:
    status, answer = chunked(server, iter([b'{"text": ', b'"a"}']))
    assert (status, answer["results"]) == (200, [{"entities": []}])


def test_chunked_payload_too_large(server: Served) -> None:
    status, problem = chunked(server, (b" " * 65_536 for _ in range(40)))
    assert (status, problem["code"]) == (413, "payload_too_large")


def test_body_of_exactly_the_limit_is_read(server: Served) -> None:
    body = json.dumps(FINE).encode()
    assert server.post(body + b" " * (2 * 1024 * 1024 - len(body))).status == 200


def talk(server: Served, data: bytes) -> bytes:
    """Send bytes that are no proper request, end the sending side, and return all that comes back."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while piece := connection.recv(65_536):
            received += piece
    return received


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/tag HTTP/1.1\r\nContent-Length: minus\r\n\r\n",
    ],
    ids=["TLS", "no address", "unknown version", "no length"],
)
def test_what_is_no_http_gets_the_same_shape(server: Served, data: bytes) -> None:
    check_refusal(talk(server, data))


def check_refusal(received: bytes) -> str:
    """Check an answer to what is no HTTP, and return its detail."""
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in head
    assert b"\r\nX-Request-Id: " in head
    assert b"\r\nServer-Timing: queue;dur=" in head
    assert json.loads(body)["status"] == 400
    return str(json.loads(body)["detail"])


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"POST /v1/tag HTTP/1.1\r\nExpect: a-miracle\r\nContent-Length: 2\r\n\r\n{}", "Expect"),
        (b"POST /v1/tag HTTP/1.1\r\nTransfer-Encoding: sloth\r\n\r\n", "Transfer-Encoding"),
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n\r\n", "first line"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 9_000 + b"\r\n\r\n", "headers"),
        (b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 200 + b"\r\n", "headers"),
        (b"POST /v1/tag HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", "HTTP"),
    ],
    ids=["Expect", "Transfer-Encoding", "long line", "long header", "many headers", "two lengths"],
)
def test_what_http_is_not_understood_is_said(server: Served, data: bytes, detail: str) -> None:
    assert detail in check_refusal(talk(server, data))


def test_expect_100_continue_is_met(server: Served) -> None:
    body = json.dumps(FINE).encode()
    head = f"Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"POST /v1/tag HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + head.encode())
        assert connection.recv(1_000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        received = b""
        while piece := connection.recv(65_536):
            received += piece
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.endswith(server.post(FINE).body)


def test_a_body_that_turns_out_broken_gets_no_second_answer(server: Served) -> None:
    data = b"POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    assert talk(server, data).count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "head",
    [b'Content-Length: 500\r\n\r\n{"text":', b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"],
    ids=["ends early", "no chunk"],
)
def test_body_that_is_not_framed_as_said(server: Served, head: bytes) -> None:
    received = talk(server, b"POST /v1/tag HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + head)
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b'"code":"malformed_json"' in received
