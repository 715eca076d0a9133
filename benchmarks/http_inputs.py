"""Bytes that a client might send: valid requests in pipelines, the same spoiled, and noise; all from one number."""

import random
from collections.abc import Callable

MAX_BODY_BYTES = 300
"""Of the parser that is tried: small, so that bodies above it are common."""

_METHODS = (b"POST", b"GET", b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"DELETE", b"PATCH")
_ODD_METHODS = (b"CONNECT", b"CONNECT", b"SOURCE", b"PRI", b"get", b"ANNOUNCE", b"")
_TARGETS = (
    b"/", b"/v1/tag", b"/v1/tag?a=b&c=%20", b"/%41%2f%zz%", b"/%+1", b"http://h/x?y", b"https://h?y", b"http://h", b"*",
    b"h:443", b"//h/x", b"/a#b?c", b"/?http://h/", b"/x;y=1,2",
)  # fmt: skip
_VERSIONS = (b"HTTP/1.1",) * 12 + (b"HTTP/1.0", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/1.2", b"ICE/1.0", b"")
_HOSTS = (b"Host: a\r\n",) * 12 + (b"host:a:80\r\n", b"Host:\r\n", b"", b"Host: a\r\nHost: b\r\n", b"Ho_st: a\r\n")
_HEADERS = (
    b"Connection: close", b"Connection: keep-alive", b"connection: Keep-Alive, x",
    b"Connection: Upgrade\r\nUpgrade: h2c", b"Upgrade: websocket", b"Connection: upgrade", b"Expect: 100-continue",
    b"Content-Type: application/json", b"Authorization: Bearer k",
    b"Accept: */*", b"Accept: a\r\nACCEPT: b", b"X-A:", b"X-A: \t b \t", b"X_A: dropped", b"Content_Length: 7",
    b"Transfer_Encoding: chunked", b"X-Forwarded-For: 1.2.3.4, 5.6.7.8", b"Cookie: a=b\r\nCookie: c=d",
    b"X-High: \xff\xe4", b"Proxy-Connection: keep-alive", b"Keep-Alive: 5",
    b"X-Long: " + b"x" * 120, b"X-Content-Length: 5", b"Date: now",
)  # fmt: skip
_ODD_FIELDS = (
    b"Expect: 100-Continue", b"Expect: more", b"Content-Type: a\r\ncontent-type: b", b"Content-Length: 0",
    b"Host: b", b"Authorization: x\r\nauthorization: y",
    b"Content-Length: 3\r\nContent-Length: 3", b"Content-Length: 3\r\nContent-Length: 4", b"Content-Length: 3, 3",
    b"Content-Length: +3", b"Content-Length: -1", b"Content-Length: 0x3", b"Content-Length: 3 ", b"Content-Length:  3",
    b"Content-Length: 3\t", b"Content-Length:\t3", b"Content-Length: 1 0", b"Content-Length: 1\r\n 0",
    b"Content-Length:\r\n 3", b"Content-Length : 3", b"Content-Length\t: 3", b"Content-Length: 0003",
    b"Content-Length:", b"Content-Length: 18446744073709551615", b"Content-Length: 18446744073709551617",
    b"Content-Length: 9223372036854775808", b"Content-Length: 99999999999999999999999", b"Content-Length: 3\x00",
    b"Content-Length: " + b"0" * 4400 + b"3", b"Content-Length: 3;4", b"Content-Length: \xb2", b"Content-Length: 1_0",
    b"Transfer-Encoding: chunked\r\nContent-Length: 3", b"Content-Length: 3\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: identity", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked, gzip",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding:\r\n chunked", b"Transfer-Encoding: chunked\r\n x", b"Transfer-Encoding : chunked",
    b"Transfer-Encoding: chunked ", b"Transfer-Encoding: chunked\t", b"Transfer-Encoding: \x0bchunked",
    b"Transfer-Encoding: xchunked", b"Transfer-Encoding: chunkedx", b"Transfer-Encoding: CHUNKED",
    b'Transfer-Encoding: "chunked"', b"Transfer-Encoding:", b"Transfer-Encoding: ,chunked",
    b"Transfer-Encoding: chunked;a",    b" Transfer-Encoding: chunked",
    b"X: y\n Transfer-Encoding: chunked", b"X: y\nTransfer-Encoding: chunked",
    b"X: y\rTransfer-Encoding: chunked", b"X\x00: y", b"X: y\x00z", b"X: y\r\n z", b"X: y\r\n\tz", b": y", b"X",
    b"X : y",    b"X\r\n: y", b"\xffX: y", b"TE: trailers", b"Connection: close, upgrade\r\nUpgrade: x",
    b"Connection: Transfer-Encoding",
)  # fmt: skip
_SIZES = (b"%x", b"%X", b"0%x", b"000%x", b"%x;a=b", b"%x;a", b'%x;a="b"', b"%x;a;b=c")
_ODD_SIZES = (
    b"+%x", b"-%x", b"0x%x", b" %x", b"%x ", b"%x\t", b'%x;a="\r\n\r\n"', b"%x\n", b"%x;a\n", b"%x;", b"%xg", b"%x,1",
    b"%x\r", b"fffffffffffffff%x", b"10000000000000000%x", b"0" * 300 + b"%x", b"%x;a=" + b"e" * 600, b"", b"%x;\x00",
    b'%x;a="b', b"%x ;a=b", b"%x; a=b",
)  # fmt: skip
_TRAILERS = (
    b"X-T: 1", b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Host: b", b"Connection: close", b"Expect: x",
    b"Connection: upgrade\r\nUpgrade: x", b"X-T: 1\r\n 2", b"X_T: 1", b"Content-Type: b",
)  # fmt: skip
_BODIES = (
    b"",
    b"abc",
    b"\r\n",
    b"\r\n\r\n",
    b"0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: b\r\n\r\n",
    b'{"text": "a b"}',
    b"\n\n",
)
_SOUP = (
    b"GET ", b"POST ", b"/ ", b"HTTP/1.1", b"\r\n", b"\r\n", b"\r\n\r\n", b"\n", b"\r", b" ", b"\t", b":", b"0", b"5",
    b";", b"Host: a\r\n", b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n",
    b"abc", b"\x00", b"\xff", b"Connection: upgrade\r\nUpgrade: x\r\n", b'"',
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n",
)  # fmt: skip
_GLUE = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\n\n",
    b"\r\r\n",
    b"\n\r\n",
    b" \r\n",
    b"\r\n ",
    b"\x00",
    b"",
    b":",
    b"\t",
)
_NUMBERS = (b"0", b"1", b"4", b"255", b"65536", b"4294967296", b"9223372036854775807", b"18446744073709551616", b"ffff")
_SEPARATORS = (b"",) * 20 + (b"\r\n", b"\n", b"\r\n\r\n")


def make_input(rng: random.Random) -> bytes:
    """Return what one connection sends."""
    kind = rng.random()
    if kind < 0.02:
        return rng.randbytes(rng.randrange(1, 60))
    if kind < 0.08:
        return b"".join(rng.choices(_SOUP, k=rng.randrange(1, 24)))
    if kind < 0.081:
        return _at_a_limit(rng)
    data = b"".join(rng.choice(_SEPARATORS) + _request(rng) for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 6))))
    if kind > 0.4:
        for _ in range(rng.choice((1, 1, 2, 4))):
            data = rng.choice(_MUTATIONS)(rng, data)
    return data


def make_cuts(rng: random.Random, data: bytes) -> list[int]:
    """Return where the bytes are cut into what a socket might give, both ends left out."""
    kind, size = rng.random(), len(data)
    if kind < 0.2 or size < 2:
        return []
    if kind < 0.3 and size < 1500:
        return list(range(1, size))
    cuts = {rng.randrange(1, size) for _ in range(rng.randrange(1, 8))}
    if kind < 0.6 and (at := data.find(b"\r\n", rng.randrange(size))) >= 0:
        cuts |= {cut for cut in range(at, at + rng.randrange(1, 6)) if 0 < cut < size}
    return sorted(cuts)


def _request(rng: random.Random) -> bytes:
    is_clean = rng.random() < 0.7
    headers = [header + b"\r\n" for header in rng.sample(_HEADERS, k=rng.choice((0, 0, 1, 2, 4)))]
    body = rng.choice(_BODIES) * rng.choice((1, 1, 1, 2, 5))
    if rng.random() < 0.1:
        body = rng.randbytes(rng.randrange(MAX_BODY_BYTES))
    kind = rng.random()
    if not is_clean and rng.random() < 0.4:
        headers.append(rng.choice(_ODD_FIELDS) + b"\r\n")
        kind = rng.choice((kind, 0.9))
    if kind < 0.35:
        headers.append(b"%b: %d\r\n" % (rng.choice((b"Content-Length", b"content-length")), len(body)))
    elif kind < 0.7:
        headers.append(rng.choice((b"Transfer-Encoding: chunked\r\n", b"transfer-encoding:Chunked\r\n")))
        body = _chunks(rng, body, odd=not is_clean and rng.random() < 0.2)
    elif is_clean or kind < 0.85:
        body = b""
    rng.shuffle(headers)
    method, host, version = rng.choice(_METHODS), _HOSTS[0], _VERSIONS[0]
    if not is_clean:
        method, host, version = (
            rng.choice((method, rng.choice(_ODD_METHODS))),
            rng.choice(_HOSTS),
            rng.choice(_VERSIONS),
        )
    return b"%b %b %b\r\n" % (method, rng.choice(_TARGETS), version) + host + b"".join(headers) + b"\r\n" + body


def _chunks(rng: random.Random, body: bytes, *, odd: bool) -> bytes:
    sizes = _ODD_SIZES if odd else _SIZES
    pieces = []
    while body:
        size = rng.choice((1, 2, 5, 16, len(body)))
        piece, body = body[:size], body[size:]
        pieces += [_line(rng.choice(sizes), len(piece)), piece, b"\r\n"]
    pieces.append(_line(rng.choice(sizes) if rng.random() < 0.3 else b"%x", 0))
    if rng.random() < 0.2:
        pieces += [
            trailer + b"\r\n" for trailer in rng.choices(_TRAILERS if odd else _TRAILERS[:1], k=rng.randrange(1, 3))
        ]
    return b"".join(pieces) + b"\r\n"


def _line(pattern: bytes, size: int) -> bytes:
    return (pattern % size if pattern else b"") + b"\r\n"


def _at_a_limit(rng: random.Random) -> bytes:
    """A request one of whose parts is about as long as it may be, on one side or the other."""
    spare, head = rng.randrange(-3, 4), b"POST / HTTP/1.1\r\nHost: a\r\n"
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"
    few_long = 8 * (b"X: " + b"x" * (8190 - 6) + b"\r\n")
    kinds = (
        b"GET /" + b"x" * (8189 + spare) + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        head + b"X-A:" + b"x" * (8187 + spare) + b"\r\n\r\n",
        head + b"X: y\r\n" * (99 + spare) + b"\r\n",
        head + few_long + b"X: " + b"x" * (65536 - len(head) - len(few_long) - 7 + spare) + b"\r\n\r\n",
        b"\r\n" * (32768 - 30 + spare) + head + b"\r\n",
        head + b"Content-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + spare) + b"x" * (MAX_BODY_BYTES + spare),
        chunked + b"1\r\nx\r\n" * (MAX_BODY_BYTES + spare) + b"0\r\n\r\n",
        chunked + b"3;a=" + b"x" * (16384 - 14 + spare) + b"\r\nabc\r\n0\r\n\r\n",
        chunked + b"0\r\nX-A: " + b"x" * (16384 - 14 + spare) + b"\r\n\r\n",
        chunked + b"0" * (16384 + spare) + b"\r\n\r\n",
    )
    return rng.choice(kinds) + rng.choice((b"", head + b"\r\n"))


# Mutations.


def _flip(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1 :] if at < len(data) else data


def _insert(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice((rng.randbytes(1), rng.choice(_SOUP))) + data[at:]


def _delete(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.choice((1, 1, 2, 9)) :]


def _repeat(rng: random.Random, data: bytes) -> bytes:
    begin = rng.randrange(len(data) + 1)
    end, at = begin + rng.randrange(1, 40), rng.randrange(len(data) + 1)
    return data[:at] + data[begin:end] + data[at:]


def _glue(rng: random.Random, data: bytes) -> bytes:
    """Play with the end of a line."""
    at = data.find(b"\r\n", rng.randrange(len(data) + 1))
    return data if at < 0 else data[:at] + rng.choice(_GLUE) + data[at + 2 :]


def _number(rng: random.Random, data: bytes) -> bytes:
    """Put another number where one stands."""
    begin = rng.randrange(len(data) + 1)
    while begin < len(data) and not 48 <= data[begin] < 58:
        begin += 1
    end = begin
    while end < len(data) and 48 <= data[end] < 58:
        end += 1
    return data[:begin] + rng.choice(_NUMBERS) + data[end:]


def _cut(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _field(rng: random.Random, data: bytes) -> bytes:
    """Put a header where a line begins."""
    at = data.find(b"\r\n", rng.randrange(len(data) + 1))
    return (
        data if at < 0 else data[: at + 2] + rng.choice(rng.choice((_ODD_FIELDS, _HEADERS))) + b"\r\n" + data[at + 2 :]
    )


_MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _flip, _insert, _delete, _repeat, _glue, _glue, _number, _cut, _field, _field,
)  # fmt: skip
