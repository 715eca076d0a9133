"""Bytes that are no honest HTTP: closed or answered 4xx, and the next honest request is served by the same workers."""

import gzip
import random
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.raw import GOOD, GOOD_BODY, GOOD_HEAD, Heard, connect, exchange, hear, reset, send_all
from tests.live.served import Served, children_of

POST = b"POST /v1/tag HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
SIZE = str(len(GOOD_BODY)).encode()


def check_refused(heard: Heard) -> None:
    """Check that a connection was closed, after a 4xx or without a word, and that nothing was answered for good."""
    assert heard.is_closed
    assert all(400 <= status < 500 for status in heard.statuses), heard.data
    assert len(heard.statuses) <= 1, heard.data


REFUSED = {
    "TLS client hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 2,
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "HTTP/0.9": b"GET /healthz\r\n",
    "HTTP/0.9 with a version": b"GET /healthz HTTP/0.9\r\n\r\n",
    "HTTP/2 over text": b"GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n",
    "no version": b"GET /healthz \r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "SOCKS": b"\x05\x01\x00",
    "zeros": b"\0" * 4096,
    "noise": random.Random(1).randbytes(4096),
    "noise without an end": random.Random(2).randbytes(200_000).replace(b"\n", b""),
    "only line ends": b"\r\n" * 50_000,
    "NUL in the path": b"GET /health\0z HTTP/1.1\r\nHost: x\r\n\r\n",
    "NUL in a header's name": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX\0Y: a\r\n\r\n",
    "NUL in a header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
    "lone CR in a header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n",
    "space before a colon": b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n",
    "folded header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
    "header without a colon": b"GET /healthz HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n",
    "nameless header": b"GET /healthz HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n",
    "a megabyte of header": b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 1_000_000,
    "a megabyte of headers": b"GET /healthz HTTP/1.1\r\n" + b"X: a\r\n" * 170_000,
    "a megabyte of address": b"GET /" + b"a" * 1_000_000,
    "negative length": POST + b"Content-Length: -5\r\n\r\n" + GOOD_BODY,
    "signed length": POST + b"Content-Length: +" + SIZE + b"\r\n\r\n" + GOOD_BODY,
    "hexadecimal length": POST + b"Content-Length: 0x10\r\n\r\n" + GOOD_BODY,
    "length with an underscore": POST + b"Content-Length: 1_0\r\n\r\n" + GOOD_BODY,
    "fractional length": POST + b"Content-Length: 5.0\r\n\r\n" + GOOD_BODY,
    "empty length": POST + b"Content-Length: \r\n\r\n" + GOOD_BODY,
    "length beyond 64 bits": POST + b"Content-Length: 99999999999999999999999\r\n\r\n" + GOOD_BODY,
    "length in superscript": POST + b"Content-Length: 1\xb2\r\n\r\n" + GOOD_BODY,
    "two lengths": GOOD_HEAD + b"Content-Length: 3\r\n\r\n" + GOOD_BODY,
    "list of lengths": POST + b"Content-Length: 3, " + SIZE + b"\r\n\r\n" + GOOD_BODY,
    "length and chunks": GOOD_HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked not last": POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST /v1/tag HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "more promised than sent": POST + b"Content-Length: 5000\r\n\r\n" + GOOD_BODY,
    "chunk of no size": CHUNKED + b"\r\n{}\r\n0\r\n\r\n",
    "chunk of a negative size": CHUNKED + b"-5\r\n{}\r\n0\r\n\r\n",
    "chunk of a size that is none": CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    "chunk of a size beyond 64 bits": CHUNKED + b"fffffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "chunk longer than its size": CHUNKED + b"2\r\n{}{}\r\n0\r\n\r\n",
    "chunk shorter than its size": CHUNKED + b"9\r\n{}\r\n0\r\n\r\n",
    "chunks without an end": CHUNKED + b"2\r\n{}\r\n",
    "a megabyte of chunk size": CHUNKED + b"0" * 1_000_000,
    "a megabyte of chunk extension": CHUNKED + b"2;" + b"a" * 1_000_000,
    "a megabyte of trailer": CHUNKED + b"2\r\n{}\r\n0\r\nX: " + b"a" * 1_000_000,
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_it_is_refused(server: Served, data: bytes) -> None:
    check_refused(exchange(server, data))


WAIT_FOR_MORE = frozenset(
    (
        *("TLS client hello", "HTTP/0.9", "SSH", "SOCKS", "zeros", "noise", "more promised than sent"),
        *("no version", "chunk of a size beyond 64 bits", "chunk shorter than its size", "chunks without an end"),
    )
)
"""What might still become a request: the time limit ends it, not what it says."""


@pytest.mark.parametrize(
    "data", [pytest.param(data, id=name) for name, data in REFUSED.items() if name not in WAIT_FOR_MORE]
)
def test_it_is_refused_at_once_though_the_client_waits(server: Served, data: bytes) -> None:
    asked_at = time.monotonic()
    check_refused(exchange(server, data, ends=False))
    assert time.monotonic() - asked_at < 10.0  # half of the time limit of a request


PIPELINED = {
    "noise": random.Random(3).randbytes(500) + b"\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "the body again": GOOD_BODY + b"\r\n\r\n",
    "a broken request": b"GET /healthz HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    "a broken body": CHUNKED + b"zz\r\n",
}


# The sending side stays open here: a client that ends it counts as gone, see service/departure.py.
@pytest.mark.parametrize("after", PIPELINED.values(), ids=PIPELINED)
def test_garbage_after_a_good_request_takes_nothing_from_it(server: Served, after: bytes) -> None:
    heard = exchange(server, GOOD + after, ends=False)
    assert heard.is_closed
    assert heard.statuses[:1] == [200], heard.data
    assert len(heard.statuses) <= 2
    assert all(400 <= status < 500 for status in heard.statuses[1:]), heard.data


def test_a_body_longer_than_its_length_is_no_second_good_request(server: Served) -> None:
    short = POST + b"Content-Length: 15\r\n\r\n" + b'{"text": "abc"}' + b'{"text": "def"}\r\n\r\n'
    heard = exchange(server, short, ends=False)
    assert heard.is_closed
    assert heard.statuses[0] == 200
    assert all(400 <= status < 500 for status in heard.statuses[1:])


def test_a_length_cuts_the_body_short(server: Served) -> None:
    heard = exchange(server, POST + b"Connection: close\r\nContent-Length: 5\r\n\r\n" + GOOD_BODY)
    check_refused(heard)


def test_good_requests_one_after_the_other_are_each_answered(server: Served) -> None:
    heard = exchange(server, GOOD * 5 + GOOD_HEAD + b"Connection: close\r\n\r\n" + GOOD_BODY, ends=False)
    assert heard.statuses == [200] * 6
    assert heard.is_closed


@pytest.mark.parametrize("ends", [True, False], ids=["FIN", "RST"])
def test_a_request_cut_anywhere_is_refused(server: Served, ends: bool) -> None:
    """Every place of the head's last bytes and of the body's border, and a sample of the others."""
    border = len(GOOD) - len(GOOD_BODY)
    places = {*range(border - 6, border + 3), len(GOOD) - 1, *random.Random(4).sample(range(1, len(GOOD)), 40)}
    for place in sorted(places):
        if ends:
            heard = exchange(server, GOOD[:place])
            check_refused(heard)
        else:
            connection = connect(server)
            send_all(connection, GOOD[:place])
            reset(connection)


def test_one_byte_at_a_time_is_read_all_the_same(server: Served) -> None:
    with connect(server) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        last = GOOD_HEAD + b"Connection: close\r\n\r\n" + GOOD_BODY
        for place in range(len(last)):
            connection.sendall(last[place : place + 1])
        assert hear(connection).statuses == [200]


def test_slow_heads_and_bodies_are_ended_and_hold_nobody_up(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", "--read-timeout-s", "1")
    starts = [GOOD[:30], GOOD[:-5], CHUNKED + b"5\r\n{", POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"]
    held = [connect(server) for _ in range(3) for _ in starts]
    for number, connection in enumerate(held):
        send_all(connection, starts[number % len(starts)])
    asked_at = time.monotonic()
    assert server.post(b'{"text": "a"}').status == 200
    assert time.monotonic() - asked_at < 1.0  # before any of them was ended
    for number, connection in enumerate(held):
        if number % 2:
            send_all(connection, b" ")  # a byte now and then must not prolong it
        heard = hear(connection)
        connection.close()
        assert heard.is_closed
        assert all(status == 100 or 400 <= status < 500 for status in heard.statuses), heard.data
    assert time.monotonic() - asked_at < 15.0
    assert server.post(b'{"text": "a"}').status == 200


def resident_bytes(process_id: int) -> int:
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def test_bombs_leave_memory_as_it_was(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1")
    (worker,) = children_of(server.process.pid)
    headers = {"Content-Encoding": "gzip"}
    bombs = [gzip.compress(byte * 100_000_000, 1) for byte in (b" ", b"[")] + [gzip.compress(b" " * 4_000_000) * 60]
    assert all(len(bomb) < 2 * 1024 * 1024 for bomb in bombs)
    assert [server.post(bomb, headers=headers).status for bomb in bombs] == [413] * 3
    before = resident_bytes(worker)
    for bomb in bombs * 3:
        assert server.post(bomb, headers=headers).status == 413
    assert resident_bytes(worker) - before < 50_000_000
