"""What llhttp by itself makes of a connection's bytes, and which of these requests the service refuses beyond it.

Written apart from `service/server/request_parser.py`, whose judge it is. A request that asks for an upgrade, and
CONNECT, ends the work of llhttp; by RFC 9112 (6.3) its body has the length that it announces, and the next request
follows.
"""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httptools

INVALID = "The request is not valid HTTP."
LONG_HEAD = "The headers of the request are too many or too long"


@dataclass(slots=True)
class Seen:
    """One request, as far as it has come."""

    begin: int = 0
    url: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    method: str = ""
    version: str = ""
    keeps_alive: bool = False
    upgrades: bool = False
    head_end: int = -1
    """-1 until the head is complete; known only where bytes are fed one by one."""
    body: bytes = b""
    end: int = -1
    """-1 until the request is complete."""

    def values(self, name: bytes) -> list[bytes]:
        """Return what the headers of a name say, without the blanks around it."""
        return [value.strip(b" \t") for key, value in self.headers if key.lower() == name]

    @property
    def lengths(self) -> list[int]:
        """Return what the headers Content-Length say; Python's int would refuse a number of 4,300 zeros."""
        return [int(value.lstrip(b"0") or b"0") for value in self.values(b"content-length")]


class Oracle:
    """Requests of a connection, up to the first after which it closes, and where llhttp refuses it; -1 is nowhere."""

    def __init__(self, data: bytes, *, step: int) -> None:
        """Feed the bytes in steps: 1 is one by one, their number is all at once."""
        self.requests: list[Seen] = []
        """The last one may be incomplete."""
        self.refused_at = -1
        self._at = 0
        self._has_head = False
        while self._at < len(data):
            # After an upgrade everything begins anew.
            parser: Any = httptools.HttpRequestParser(self)
            self._parser = parser
            if not self._feed(parser, data, step):
                break
        if not self.requests or (self.requests[-1].end >= 0 and not self.is_closed):
            self.requests.append(Seen(begin=self.requests[-1].end if self.requests else 0))

    def _feed(self, parser: Any, data: bytes, step: int) -> bool:
        """Feed until the end, an error or an upgrade; say whether there is more to feed."""
        while self._at < len(data):
            begin = self._at
            self._at = min(len(data), begin + step)
            try:
                parser.feed_data(data[begin : self._at] if step < len(data) or begin else data)
            except httptools.HttpParserUpgrade as upgrade:
                self._at = begin + int(upgrade.args[0])
                return self._take_upgraded(data)
            except httptools.HttpParserError:
                self.refused_at = self._at - 1
                return False
            if self.is_closed:
                return False
        return False

    def _take_upgraded(self, data: bytes) -> bool:
        seen = self.requests[-1]
        seen.upgrades, seen.head_end = True, self._at
        size = max(seen.lengths, default=0) if not seen.values(b"transfer-encoding") else 0
        seen.body = data[self._at : self._at + size]
        seen.end = self._at + size if len(seen.body) == size else -1
        self._at += size
        return not self.is_closed and seen.end >= 0

    @property
    def complete(self) -> list[Seen]:
        """The requests that are answered: what follows one after which the connection closes is not read."""
        found = []
        for seen in self.requests:
            if seen.end >= 0:
                found.append(seen)
            if not seen.keeps_alive:
                break
        return found

    @property
    def is_closed(self) -> bool:
        """Whether the last request is complete, and no other may follow."""
        return bool(self.requests) and self.requests[-1].end >= 0 and not self.requests[-1].keeps_alive

    # Called by llhttp.

    def on_message_begin(self) -> None:
        before = self.requests[-1].end if self.requests else 0
        self.requests.append(Seen(begin=before))
        self._has_head = False

    def on_url(self, piece: bytes) -> None:
        self.requests[-1].url += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._has_head:
            self.requests[-1].headers.append((name, value))

    def on_headers_complete(self) -> None:
        seen, parser = self.requests[-1], self._parser
        seen.method, seen.version = parser.get_method().decode("latin-1"), parser.get_http_version()
        seen.keeps_alive, seen.head_end = parser.should_keep_alive(), self._at
        self._has_head = True

    def on_body(self, piece: bytes) -> None:
        self.requests[-1].body += piece

    def on_message_complete(self) -> None:
        self.requests[-1].end = self._at


def refusals(seen: Seen, *, num_bytes: int, max_body_bytes: int) -> set[str]:
    """Return how the sentences may begin with which the service refuses a request that llhttp takes.

    num_bytes: from the end of the request before to that of this one, or of what has come of it.
    """
    found: set[str] = set()
    head_bytes = seen.head_end - seen.begin if seen.head_end >= 0 else num_bytes
    if len(seen.url) > 8190:
        found.add("The first line of the request has more than 8190 bytes.")
    if len(seen.headers) > 100 or any(len(name) + len(value) > 8190 for name, value in seen.headers):
        found.add(LONG_HEAD)
    if head_bytes > 65536:
        found |= {LONG_HEAD, "The first line of the request has more than 8190 bytes."}
    for name in (b"host", b"content-type", b"content-length", b"authorization"):
        if len(seen.values(name)) > 1:
            found.add("The header ")
    if seen.head_end >= 0:
        found |= _refusals_of_head(seen)
    if len(seen.body) > max_body_bytes:
        found.add(f"The body has more than {max_body_bytes} bytes")
    if seen.head_end >= 0 and num_bytes - head_bytes > 16384:
        found.add("The sizes, extensions and trailers of the chunks")
    return found


def _refusals_of_head(seen: Seen) -> set[str]:
    found: set[str] = set()
    codings = seen.values(b"transfer-encoding")
    if seen.version not in ("1.0", "1.1"):
        found.add("The server understands HTTP/1.1 and HTTP/1.0 only.")
    if codings and b",".join(codings).lower() != b"chunked":
        found.add("The server understands the Transfer-Encoding chunked only, not ")
    if codings and (seen.lengths or seen.version == "1.0"):
        found.add("A body in chunks needs HTTP/1.1 and must not have a Content-Length.")
    if any(value.lower() != b"100-continue" for value in seen.values(b"expect")) or len(seen.values(b"expect")) > 1:
        found.add("The server understands the Expect value 100-continue only.")
    if seen.version == "1.1" and not seen.values(b"host"):
        found.add("An HTTP/1.1 request needs the header Host.")
    if seen.upgrades and codings:
        found.add("A request that asks for an upgrade must not have a body in chunks.")
    return found


def environ_of(seen: Seen) -> dict[str, str]:
    """Return the WSGI keys of a request that its head gives."""
    target = seen.url.decode("latin-1")
    if not target.startswith("/") and (absolute := re.match(r"[^:]*://[^/?]*", target)):
        target = target[absolute.end() :]
        target = target if target.startswith("/") else f"/{target}"
    path, _, query = target.partition("?")
    environ = {
        "REQUEST_METHOD": seen.method,
        "PATH_INFO": unquote(path, "latin-1"),
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": f"HTTP/{seen.version}",
    }
    names = dict.fromkeys(name.lower() for name, _ in seen.headers if b"_" not in name)
    for name in names:
        key = name.decode("latin-1").upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        environ[key] = b",".join(seen.values(name)).decode("latin-1")
    if seen.lengths:
        environ["CONTENT_LENGTH"] = str(seen.lengths[0])
    return environ
