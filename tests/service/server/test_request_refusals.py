"""What the parser of requests refuses, each with its sentence, and what is just within its limits."""

import pytest

from seqserve.errors import RequestError
from seqserve.service.errors import MalformedJsonError, PayloadTooLargeError
from seqserve.service.server.request_parser import (
    MAX_FRAME_BYTES,
    MAX_HEAD_BYTES,
    MAX_HEADER_BYTES,
    MAX_HEADERS,
    MAX_LINE_BYTES,
    RequestParser,
)
from tests.service.server.feeding import CHUNKED, HEAD, LINE, MAX_BODY_BYTES, each_step, feed, parsed

INVALID = "The request is not valid HTTP."
LONG_LINE = "The first line of the request has more than 8190 bytes."
LONG_HEAD = "The headers of the request are too many or too long: at most 100 of 8190 bytes each, 65536 bytes together."
LARGE = "The body has more than 100 bytes (max_body_bytes)."
VERSION = "The server understands HTTP/1.1 and HTTP/1.0 only."
CHUNKS = "A body in chunks needs HTTP/1.1 and must not have a Content-Length."
FRAME = (
    "The sizes, extensions and trailers of the chunks have more than 16384 bytes beyond the size of the body itself."
)
WITHOUT_HOST = "An HTTP/1.1 request needs the header Host."


def refused(data: bytes, step: int = 1 << 20) -> RequestError:
    with pytest.raises(RequestError) as caught:
        feed(RequestParser({}, max_body_bytes=MAX_BODY_BYTES), data, step)
    return caught.value


REFUSALS = {
    "noise": (b"\x16\x03\x01\x02\x00\x01\x00", INVALID),
    "bare line feeds": (b"GET / HTTP/1.1\nHost: a\n\n", INVALID),
    "a carriage return in a value": (HEAD + b"X: a\rb\r\n\r\n", INVALID),
    "a zero byte in a value": (HEAD + b"X: a\x00b\r\n\r\n", INVALID),
    "a folded header": (HEAD + b"X: a\r\n b\r\n\r\n", INVALID),
    "a space before the colon": (HEAD + b"Content-Length : 3\r\n\r\nabc", INVALID),
    "a header without a name": (HEAD + b": a\r\n\r\n", INVALID),
    "two lengths": (HEAD + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", INVALID),
    "a list of lengths": (HEAD + b"Content-Length: 3, 3\r\n\r\nabc", INVALID),
    "a signed length": (HEAD + b"Content-Length: +3\r\n\r\nabc", INVALID),
    "a length in hex": (HEAD + b"Content-Length: 0x3\r\n\r\nabc", INVALID),
    "a length beyond 64 bits": (HEAD + b"Content-Length: 18446744073709551616\r\n\r\n", INVALID),
    "an empty length": (HEAD + b"Content-Length:\r\n\r\n", INVALID),
    "a length before chunks": (HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", INVALID),
    "a length after chunks": (HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", INVALID),
    "a length as a trailer": (CHUNKED + b"0\r\nContent-Length: 3\r\n\r\n", INVALID),
    "a signed chunk size": (CHUNKED + b"+3\r\nabc\r\n0\r\n\r\n", INVALID),
    "a chunk size with 0x": (CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n", INVALID),
    "a space after a chunk size": (CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n", INVALID),
    "a chunk size with a bare line feed": (CHUNKED + b"3\nabc\r\n0\r\n\r\n", INVALID),
    "a chunk size beyond 64 bits": (CHUNKED + b"10000000000000003\r\nabc\r\n0\r\n\r\n", INVALID),
    "a line end in a quoted extension": (CHUNKED + b'3;a="\r\n\r\n"\r\nabc\r\n0\r\n\r\n', INVALID),
    "a chunk longer than its size": (CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n", INVALID),
    "another coding": (
        HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "The server understands the Transfer-Encoding chunked only, not 'gzip, chunked'.",
    ),
    "two headers of codings": (
        HEAD + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "The server understands the Transfer-Encoding chunked only, not 'gzip,chunked'.",
    ),
    "chunks in HTTP/1.0": (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", CHUNKS),
    "HTTP/2.0": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", VERSION),
    "HTTP/0.9": (b"GET /\r\n\r\n", VERSION),
    "another expectation": (
        HEAD + b"Expect: more\r\n\r\n",
        "The server understands the Expect value 100-continue only.",
    ),
    "no host": (LINE + b"\r\n", WITHOUT_HOST),
    "no host, but a name like it": (LINE + b"Ho_st: a\r\n\r\n", WITHOUT_HOST),
    "an upgrade without a host": (LINE + b"Connection: upgrade\r\nUpgrade: x\r\n\r\n", WITHOUT_HOST),
    "two hosts": (HEAD + b"HOST: a\r\n\r\n", "The header HOST must be given only once."),
    "two types": (
        HEAD + b"Content-Type: a\r\nContent-Type: a\r\n\r\n",
        "The header Content-Type must be given only once.",
    ),
    "two keys": (
        HEAD + b"Authorization: a\r\nAuthorization: b\r\n\r\n",
        "The header Authorization must be given only once.",
    ),
    "an upgrade in chunks": (
        HEAD + b"Connection: upgrade\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "A request that asks for an upgrade must not have a body in chunks.",
    ),
    "a long target": (b"GET /" + b"x" * MAX_LINE_BYTES + b" HTTP/1.1\r\nHost: a\r\n\r\n", LONG_LINE),
    "a long header": (HEAD + b"X:" + b"x" * MAX_HEADER_BYTES + b"\r\n\r\n", LONG_HEAD),
    "many headers": (HEAD + b"X: y\r\n" * MAX_HEADERS + b"\r\n", LONG_HEAD),
    "a long head": (HEAD + (b"X: " + b"x" * 8000 + b"\r\n") * 9 + b"\r\n", LONG_HEAD),
    "blank lines without an end": (b"\r\n" * (MAX_HEAD_BYTES // 2 + 1), LONG_HEAD),
    "a large body in chunks": (CHUNKED + b"32\r\n" + b"x" * 50 + b"\r\n33\r\n" + b"x" * 51 + b"\r\n", LARGE),
    "a large body": (HEAD + b"Content-Length: 101\r\n\r\n" + b"x" * 101, LARGE),
    "many small chunks": (CHUNKED + b"1;" + b"x" * MAX_FRAME_BYTES + b"\r\nx\r\n0\r\n\r\n", FRAME),
    "long trailers": (CHUNKED + b"0\r\n" + b"X: y\r\n" * (MAX_FRAME_BYTES // 6) + b"\r\n", FRAME),
    "zeros before a chunk size": (CHUNKED + b"0" * (MAX_FRAME_BYTES + 1), FRAME),
}


@each_step
@pytest.mark.parametrize(("data", "sentence"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_has_its_sentence(data: bytes, sentence: str, step: int) -> None:
    if step < 100 and len(data) > 10_000:
        step *= 500
    error = refused(data, step)
    assert error.detail == sentence
    assert type(error) is (PayloadTooLargeError if sentence in (LARGE, FRAME) else MalformedJsonError)


WITHIN = {
    "the longest target": b"GET /" + b"x" * (MAX_LINE_BYTES - 1) + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "the longest header": HEAD + b"X:" + b"x" * (MAX_HEADER_BYTES - 1) + b"\r\n\r\n",
    "the most headers": HEAD + b"X: y\r\n" * (MAX_HEADERS - 1) + b"\r\n",
    "the longest head": b"\r\n" * ((MAX_HEAD_BYTES - len(HEAD) - 2) // 2) + HEAD + b"\r\n",
    "the longest body": HEAD + b"Content-Length: 100\r\n\r\n" + b"x" * 100,
    "the longest body in chunks": CHUNKED + b"64\r\n" + b"x" * 100 + b"\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("data", WITHIN.values(), ids=WITHIN)
def test_what_is_within_a_limit_is_read(data: bytes) -> None:
    parsed(data)
