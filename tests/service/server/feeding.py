"""Bytes for the parser of requests, and feeding it with them in steps."""

import pytest

from seqserve.service.server.request_parser import RequestParser

MAX_BODY_BYTES = 100
LINE = b"POST / HTTP/1.1\r\n"
HEAD = LINE + b"Host: a\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

each_step = pytest.mark.parametrize("step", [1, 3, 1 << 20], ids=["byte by byte", "by threes", "at once"])


def feed(parser: RequestParser, data: bytes, step: int = 1 << 20) -> int:
    """Feed until the request is complete or all is fed; return how much was read."""
    for begin in range(0, len(data), step):
        piece, position = data[begin : begin + step], 0
        while position < len(piece):
            position = parser.feed(piece, position)
            if parser.is_complete:
                return begin + position
    return len(data)


def parsed(data: bytes, step: int = 1 << 20) -> RequestParser:
    """Return a parser that has read a whole request, and nothing else."""
    parser = RequestParser({}, max_body_bytes=MAX_BODY_BYTES)
    assert feed(parser, data, step) == len(data)
    assert parser.is_complete
    return parser
