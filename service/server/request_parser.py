"""Parse the requests of one connection with llhttp, one at a time; check limits while the bytes arrive.

It uses no socket and no loop. The caller keeps the bytes after a request: a client that sends a thousand requests at
once waits for its turn with each of them.
"""

from typing import Any
from urllib.parse import unquote

import httptools

from seqserve.errors import RequestError
from seqserve.service.errors import MalformedJsonError, PayloadTooLargeError, body_too_large

MAX_LINE_BYTES = 8190
MAX_HEADER_BYTES = 8190
"""Name and value of one header together."""
MAX_HEADERS = 100
MAX_HEAD_BYTES = 64 * 1024
MAX_FRAME_BYTES = 16 * 1024
"""Sizes, extensions and trailers of chunks together may exceed the size of the body by this many bytes."""

_BLANK_LINE = b"\r\n\r\n"
_UNIQUE = ("HTTP_HOST", "CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_AUTHORIZATION")
_keys: dict[bytes, str] = {}
_MOST_KEYS = 512

Environ = dict[str, Any]


class RequestParser:
    """Reads the requests of one connection.

    After `feed`, `environ` holds the WSGI keys once the head is complete, `body` the body so far, and `is_complete`
    says whether the request has ended. `reset` begins the next request.
    """

    def __init__(self, base: Environ, *, max_body_bytes: int) -> None:
        """Make a parser; base: the WSGI keys that all requests of the connection share."""
        self._base = base
        self._max_body_bytes = max_body_bytes
        self._parser: Any = httptools.HttpRequestParser(self)
        self._tail = b""
        self.reset()

    def reset(self) -> None:
        """Begin the next request."""
        self.environ: Environ | None = None
        self.is_complete = False
        self.keeps_alive = False
        self.num_bytes = 0
        """Received bytes of the request so far."""
        self._num_head_bytes = 0
        self.content_length: int | None = None
        self.is_chunked = False
        self.expects_continue = False
        self.discards = False
        """Whether the rest of the body is discarded; the caller may set it once the head is complete."""
        # Not a list of pieces: a body in chunks of five bytes would take ten times its size in memory.
        self._body = bytearray()
        self._num_body = 0
        self._url = b""
        self._num_headers = 0
        self._fields: Environ = {}
        self._error: RequestError | None = None

    def close(self) -> None:
        """Delete llhttp's parser, which refers back to this object."""
        self._parser = None

    @property
    def has_begun(self) -> bool:
        """Whether a byte has arrived since the previous request; blank lines count."""
        return self.num_bytes > 0

    @property
    def body(self) -> bytes:
        """The body so far, without discarded bytes."""
        return bytes(self._body)

    @property
    def num_missing(self) -> int:
        """Bytes of a body of known length that have not arrived."""
        return 0 if self.is_complete or self.content_length is None else self.content_length - self._num_body

    def feed(self, data: bytes, start: int) -> int:
        """Read data from `start` on; return where it stopped: `start` for the rest of the data.

        Stops at the end of the data, of a head, or of a request, whichever comes first. Raises MalformedJsonError on
        invalid HTTP and too long heads, and PayloadTooLargeError on too large bodies; then the connection must end.
        """
        had_head = self.environ is not None
        while start < len(data) and not self.is_complete:
            end = self._end_of_slice(data, start)
            piece = data if not start and end == len(data) else data[start:end]
            self.num_bytes += end - start
            self._execute(piece)
            start = end
            self._check_size()
            if self.environ is not None and not had_head:
                self._num_head_bytes = self.num_bytes
                break
        if start == len(data):
            self._tail = (self._tail + data[-3:])[-3:]
        return start

    def _end_of_slice(self, data: bytes, start: int) -> int:
        """Return how far llhttp may read: never beyond the end of the request.

        A body of announced length ends there. Otherwise a request ends with a blank line: after its head, or after its
        last chunk. No two blank lines share bytes, so earlier bytes matter only at the start of new data.
        """
        if self.environ is not None and not self.is_chunked:
            return min(len(data), start + self.num_missing)
        if not start and (at := (self._tail + data[start : start + 3]).find(_BLANK_LINE)) >= 0:
            return start + at + len(_BLANK_LINE) - len(self._tail)
        at = data.find(_BLANK_LINE, start)
        return len(data) if at < 0 else at + len(_BLANK_LINE)

    def _execute(self, piece: bytes) -> None:
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            # Upgrades are ignored and the request is answered. llhttp has not read its body.
            self._parser = httptools.HttpRequestParser(self)
            if self._error is None:
                self._resume_after_upgrade()
        except httptools.HttpParserError as error:
            raise self._error or _invalid() from error
        if self._error is not None:
            raise self._error

    def _resume_after_upgrade(self) -> None:
        if self.environ is None or self.is_chunked:
            raise MalformedJsonError("A request that asks for an upgrade must not have a body in chunks.")
        length = self.content_length or 0
        if length:
            self.is_complete = False
            # The new parser gets a head without the upgrade, and then the body.
            self._parser.feed_data(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % length)

    def _check_size(self) -> None:
        if not self._num_head_bytes:
            if self.num_bytes > MAX_HEAD_BYTES:
                raise _long_head()
        elif self.is_chunked:
            frame = self.num_bytes - self._num_head_bytes - self._num_body
            if frame > MAX_FRAME_BYTES + self._num_body:
                raise PayloadTooLargeError(
                    f"The sizes, extensions and trailers of the chunks have more than {MAX_FRAME_BYTES} bytes beyond "
                    "the size of the body itself."
                )

    # Called by llhttp, which would wrap errors that are raised here: they are kept and raised afterwards.

    def on_url(self, piece: bytes) -> None:
        """Add a piece of the request's target."""
        if self.environ is None:
            self._url += piece
            if len(self._url) > MAX_LINE_BYTES:
                self._error = self._error or MalformedJsonError(
                    f"The first line of the request has more than {MAX_LINE_BYTES} bytes."
                )

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header; trailers are ignored."""
        if self.environ is not None:
            return
        self._num_headers += 1
        if self._num_headers > MAX_HEADERS or len(name) + len(value) > MAX_HEADER_BYTES:
            self._error = self._error or _long_head()
            return
        key = _keys.get(name) or _key_of(name)
        if key:
            text = value.decode("latin-1").strip(" \t")
            if key in self._fields:
                if key in _UNIQUE:
                    self._error = self._error or MalformedJsonError(
                        f"The header {name.decode('latin-1')} must be given only once."
                    )
                    return
                text = f"{self._fields[key]},{text}"
            self._fields[key] = text

    def on_headers_complete(self) -> None:
        """Make the WSGI environment of the head."""
        if self.environ is not None or self._error is not None:
            return
        fields, parser = self._fields, self._parser
        version = parser.get_http_version()
        coding = fields.get("HTTP_TRANSFER_ENCODING")
        if version not in ("1.1", "1.0"):
            self._error = MalformedJsonError("The server understands HTTP/1.1 and HTTP/1.0 only.")
        elif coding is not None and coding.lower() != "chunked":
            self._error = MalformedJsonError(
                f"The server understands the Transfer-Encoding chunked only, not {coding[:100]!r}."
            )
        elif coding is not None and (version == "1.0" or "CONTENT_LENGTH" in fields):
            self._error = MalformedJsonError("A body in chunks needs HTTP/1.1 and must not have a Content-Length.")
        elif fields.get("HTTP_EXPECT", "100-continue").lower() != "100-continue":
            self._error = MalformedJsonError("The server understands the Expect value 100-continue only.")
        elif version == "1.1" and "HTTP_HOST" not in fields:
            self._error = MalformedJsonError("An HTTP/1.1 request needs the header Host.")
        else:
            self._set_head(version)

    def _set_head(self, version: str) -> None:
        fields = self._fields
        self.expects_continue = "HTTP_EXPECT" in fields and version == "1.1"
        self.is_chunked = "HTTP_TRANSFER_ENCODING" in fields
        length = fields.get("CONTENT_LENGTH")
        if length is not None and not (length.isascii() and length.isdigit()):
            self._error = _invalid()
            return
        if length is not None:
            # Without leading zeros: llhttp accepts thousands of them, Python's int does not.
            fields["CONTENT_LENGTH"] = length = length.lstrip("0") or "0"
            self.content_length = int(length)
        target = self._url.decode("latin-1")
        if not target.startswith("/"):
            target = _origin_form(target)
        path, _, query = target.partition("?")
        self.keeps_alive = self._parser.should_keep_alive()
        fields |= self._base
        fields["REQUEST_METHOD"] = self._parser.get_method().decode("latin-1")
        fields["PATH_INFO"] = unquote(path, "latin-1") if "%" in path else path
        fields["QUERY_STRING"] = query
        fields["SERVER_PROTOCOL"] = f"HTTP/{version}"
        self.environ = fields

    def on_body(self, piece: bytes) -> None:
        """Add a piece of the body."""
        self._num_body += len(piece)
        if self.discards:
            return
        if self._num_body > self._max_body_bytes:
            self._error = self._error or body_too_large(self._max_body_bytes)
            return
        self._body += piece

    def on_message_complete(self) -> None:
        """Note that the request has ended."""
        self.is_complete = True


def _invalid() -> MalformedJsonError:
    return MalformedJsonError("The request is not valid HTTP.")


def _long_head() -> MalformedJsonError:
    return MalformedJsonError(
        f"The headers of the request are too many or too long: at most {MAX_HEADERS} of {MAX_HEADER_BYTES} bytes each, "
        f"{MAX_HEAD_BYTES} bytes together."
    )


def _key_of(name: bytes) -> str:
    """Return the WSGI key of a header; "" for a name with an underscore, whose key could be that of another header."""
    upper = name.decode("latin-1").upper()
    if "_" in upper:
        key = ""
    else:
        upper = upper.replace("-", "_")
        key = upper if upper in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{upper}"
    if key and len(_keys) < _MOST_KEYS:
        _keys[name] = key
    return key


def _origin_form(target: str) -> str:
    """Return path and query of an absolute URL; "*" and authorities stay as they are and match no route."""
    _, found, rest = target.partition("://")
    if not found:
        return target
    at = min((place for mark in "/?" if (place := rest.find(mark)) >= 0), default=len(rest))
    return rest[at:] if rest[at : at + 1] == "/" else "/" + rest[at:]
