"""The hostile clients of the fault `hostile`, each a table entry: what one of them sends and how it reads."""

import gzip
import json
from collections.abc import Sequence

from benchmarks.faults.hostile_clients import Hostility, Reading
from benchmarks.load.plan import get

KEY = "the-right-key"
"""What the server accepts, where a hostility needs keys."""

_BODY_BYTES = 2 * 1024 * 1024
"""The server's limit, also after inflation (`max_body_bytes`)."""
_HEAD_LINES = "Host: 127.0.0.1\r\nContent-Type: application/json\r\n"
_GETS_AT_ONCE = 100
_NUM_EXTENSIONS = 200_000
_NUM_LARGE_HEADERS = 99
_LARGE_HEADER_BYTES = 8_000
_NUM_BOMBS = 60
_NUM_PROMISES = 80
_PROMISED_BYTES = 1_000_000
_NUM_UNREAD = 24
_NUM_IDLE = 5_000
_IDLE_PAUSE_S = 1.0
_LONG_TEXT_CHARS = 10_000


def hostilities(language_model: str) -> list[Hostility]:
    """Return all hostile clients; language_model: the name of one of characters, which is asked for large answers."""
    large = _closing("/v1/score", _json(_large_score(language_model)))
    stream = {"model": language_model, "n": 32, "max_tokens": 4096, "ignore_eos": True, "stream": True, "seed": 1}
    wrong_key = _closing("/v1/tag", b'{"text": "a"}', "Authorization: Bearer wrong\r\n", closes=False)
    promise = _head("/v1/tag", f"Content-Length: {_PROMISED_BYTES}\r\n")
    locked_promise = _head("/v1/tag", "Authorization: Bearer wrong\r\nContent-Length: 20000\r\n")
    return [
        Hostility("GETs without pause, answers read", get("/healthz") * _GETS_AT_ONCE, connections=4, repeats=True),
        Hostility("bodies of 2 MiB in one-byte chunks", _one_byte_chunks(), connections=4),
        Hostility(f"{_NUM_EXTENSIONS:,} chunk extensions", _extensions(), connections=4),
        Hostility(f"heads of {_NUM_LARGE_HEADERS} headers of 8 kB", _large_head(), connections=4),
        *_bombs(),
        Hostility(f"{_NUM_PROMISES} promised bodies", promise, connections=_NUM_PROMISES),
        Hostility("large answers never read", large, connections=_NUM_UNREAD, reading=Reading.NEVER),
        Hostility("large answers read slowly", large, connections=_NUM_UNREAD, reading=Reading.SLOWLY),
        Hostility("a stream read late, all at once", _closing("/v1/sample", _json(stream)), reading=Reading.LATE),
        Hostility(f"{_NUM_IDLE:,} idle connections", connections=_NUM_IDLE, pause_s=_IDLE_PAUSE_S),
        Hostility("connections closed at once", hangs_up=True),
        Hostility("a flood with a wrong key", wrong_key, connections=16, repeats=True, keys=True),
        Hostility(f"{_NUM_PROMISES} promises with a wrong key", locked_promise, connections=_NUM_PROMISES, keys=True),
    ]


def _bombs() -> list[Hostility]:
    """Return bodies of 2 kB to 2 MiB that become many objects."""
    empty_tokens = _filled(b'{"tokens":[', b'""', b"]}")
    bombs = {
        "lists of lists": _filled(b'{"tokens":[', b'[["a"]]', b"]}"),
        "objects": _filled(b'{"text":[', b'{"a":1}', b"]}"),
        "unknown fields": _unknown_fields(),
        "texts": _filled(b'{"text":[', b'"a"', b"]}"),
    }
    zipped = _closing("/v1/tag", gzip.compress(empty_tokens, mtime=0), "Content-Encoding: gzip\r\n")
    return [
        Hostility("gzip of 2 MiB of empty tokens", zipped, connections=_NUM_BOMBS),
        *(
            Hostility(f"2 MiB of {name}", _closing("/v1/tag", body), connections=_NUM_BOMBS)
            for name, body in bombs.items()
        ),
    ]


def _large_score(model: str) -> dict[str, object]:
    return {
        "model": model,
        "text": "The quick brown fox jumps over the lazy dog. " * (_LONG_TEXT_CHARS // 45),
        "eos": False,
        "include": ["tokens"],
        "top": 20,
    }


def _json(body: object) -> bytes:
    return json.dumps(body).encode()


def _head(path: str, lines: str) -> bytes:
    return f"POST {path} HTTP/1.1\r\n{_HEAD_LINES}{lines}\r\n".encode()


def _closing(path: str, body: bytes, lines: str = "", *, closes: bool = True) -> bytes:
    """Return a request whose answer ends with its connection, if it `closes`."""
    connection = "Connection: close\r\n" if closes else ""
    return _head(path, f"{connection}{lines}Content-Length: {len(body)}\r\n") + body


def _filled(start: bytes, item: bytes, end: bytes, *, size: int = _BODY_BYTES) -> bytes:
    """Return a list that repeats one item, of at most this many bytes."""
    num_items = (size - len(start) - len(end) + 1) // (len(item) + 1)
    return start + b",".join([item] * num_items) + end


def _unknown_fields(size: int = _BODY_BYTES) -> bytes:
    fields = b",".join(b'"f%06d":1' % number for number in range(size // 13))
    return b'{"text":"a",' + fields + b"}"


def _one_byte_chunks() -> bytes:
    return _head("/v1/tag", "Transfer-Encoding: chunked\r\n") + b"1\r\na\r\n" * _BODY_BYTES + b"0\r\n\r\n"


def _extensions() -> bytes:
    return _head("/v1/tag", "Transfer-Encoding: chunked\r\n") + b"1" + b";a=b" * _NUM_EXTENSIONS + b"\r\na\r\n0\r\n\r\n"


def _large_head() -> bytes:
    lines: Sequence[str] = [f"X-{number}: {'a' * _LARGE_HEADER_BYTES}\r\n" for number in range(_NUM_LARGE_HEADERS)]
    return f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n{''.join(lines)}\r\n".encode()
