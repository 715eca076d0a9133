"""Decode the body of a request to a typed struct; every kind of failure has its own error."""

import functools
import math
import re
import zlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
from werkzeug.http import parse_options_header

from seqserve.errors import FieldError, InvalidRequestError, RequestError, TooManyTextsError, pointer_to
from seqserve.reading import detail_and_path, shortened
from seqserve.service.context import Exchange
from seqserve.service.engine.event_loop import CHARACTERS_A_TOKEN, in_turn, in_turn_if_large
from seqserve.service.errors import MalformedJsonError, PayloadTooLargeError, UnsupportedMediaTypeError, body_too_large

Struct = TypeVar("Struct", bound=msgspec.Struct)
Result = TypeVar("Result")

_GZIP, _ZLIB, _RAW = 31, 15, -15  # zlib's window bits for each container
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`\Z", re.DOTALL)
_FLOAT = "got `float`"
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_LARGE_BYTES = 64 * 1024
_ECHOED_CHARS = 100
_BEYOND_64_BITS = 2**64
_OTHER_STRINGS = 1_000
"""Strings beside texts and tokens: names and values of other fields."""
_MOST_MEMBERS = 64
"""Members of a gzip body: clients send one. Of 100,000 empty members, each would be copied with all that follow."""


def from_body(here: Exchange, kind: type[Struct], make: Callable[[Exchange, Struct], Result]) -> Result:
    """Decode the body of a request and pass it to `make`; large bodies in another thread, clients in turns.

    Raises what `make` does, UnsupportedMediaTypeError, PayloadTooLargeError, MalformedJsonError and
    InvalidRequestError.
    """
    environ, settings = here.environ, here.service.settings
    max_bytes, most_strings = settings.max_body_bytes, settings.max_request_tokens + settings.max_texts
    if not _is_json(environ.get("CONTENT_TYPE", "")):
        raise UnsupportedMediaTypeError("The body must be JSON in UTF-8, sent with Content-Type: application/json.")
    data = _read(environ, max_bytes)
    coding = environ.get("HTTP_CONTENT_ENCODING", "")
    if not coding:
        size = len(data) // CHARACTERS_A_TOKEN
        return in_turn_if_large(
            size,
            lambda: make(here, decode_json(_of_few_strings(data, most_strings), kind)),
            cancellation=here.cancellation,
        )

    def inflate_and_make() -> Result:
        inflated = _of_few_strings(_decompressed(coding, data, max_bytes), most_strings)
        return make(here, decode_json(inflated, kind))

    # A few bytes may become millions: they are decompressed only in the turn of this request.
    return in_turn(inflate_and_make, cancellation=here.cancellation)


def _of_few_strings(data: bytes, most_strings: int) -> bytes:
    """Return a body, unless it has more strings than a request may have texts and tokens; raises TooManyTextsError.

    Half a million strings would hold the interpreter's lock for 30 ms.
    """
    if data.count(b'"') > 2 * (most_strings + _OTHER_STRINGS):
        raise TooManyTextsError(
            f"The body has more than {most_strings} strings, the most tokens (max_queue_tokens) and texts (max_texts) "
            "that a request may have."
        )
    return data


def decode_json(data: bytes, kind: type[Struct]) -> Struct:
    """Decode JSON to a struct; raises MalformedJsonError, or InvalidRequestError when it is JSON of another type."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        problem = error.with_traceback(None)  # which refers to this frame: they would keep each other, and the data
    except _NOT_JSON as error:
        raise _malformed(error) from error
    # The decoder stopped at the first wrong type: the bytes after it may not be JSON.
    if len(data) > _LARGE_BYTES and _FLOAT not in str(problem):
        _check_syntax(data)
        raise _invalid(str(problem), None) from problem
    body = _untyped(data)
    try:
        return msgspec.convert(body, kind)  # integers may have been written 1.0
    except (msgspec.ValidationError, RecursionError) as error:
        if isinstance(error, msgspec.ValidationError) and body is not None and HugeNumber.__name__ not in str(error):
            problem = error.with_traceback(None)
        raise _invalid(str(problem), body) from error


def _untyped(data: bytes) -> Any:
    try:
        return _UNTYPED.decode(data)
    except msgspec.ValidationError:
        return None  # an integer of thousands of digits, which is well-formed
    except _NOT_JSON as error:
        raise _malformed(error) from error


def _check_syntax(data: bytes) -> None:
    """Raise MalformedJsonError unless this is JSON. No objects are made: for 2 MiB that would take 50 ms."""
    try:
        data.decode("utf-8")
        msgspec.json.decode(data, type=msgspec.Raw)
    except _NOT_JSON as error:
        raise _malformed(error) from error


class HugeNumber:
    """A number too large for a float, which no field accepts."""


def _number(text: str) -> int | float | HugeNumber:
    """Read a number with a point or an exponent: as an integer where it is one of up to 64 bits."""
    value = float(text)
    if not math.isfinite(value):
        return HugeNumber()
    if abs(value) < _BEYOND_64_BITS and (exact := Decimal(text)) == exact.to_integral_value():
        return int(exact)
    return value


def _malformed(error: Exception) -> RequestError:
    if isinstance(error, RecursionError):
        return MalformedJsonError("The body is nested too deeply.")
    if isinstance(error, UnicodeDecodeError):
        return MalformedJsonError(f"The body is not valid UTF-8: {error.reason}.")
    return MalformedJsonError(f"The body is not valid JSON (lone surrogates, NaN and Infinity are none): {error}.")


def _invalid(message: str, body: Any) -> InvalidRequestError:
    """Return the error for the decoder's message, whose end "- at `$.text[3]`" becomes a JSON Pointer."""
    unknown = _UNKNOWN.match(message)
    # A field's name may end like the decoder's own sentences.
    is_name = unknown and isinstance(body, dict) and unknown["name"] in body
    detail, steps = (message, []) if is_name else detail_and_path(message)
    if unknown := _UNKNOWN.match(detail):
        steps.append(unknown["name"][:_ECHOED_CHARS])
        detail = "This field is not known."
    detail, pointer = shortened(detail), pointer_to(*steps)
    return InvalidRequestError(f"{pointer or 'The body'}: {detail}", [FieldError(pointer, detail)])


@functools.lru_cache(maxsize=64)
def _is_json(content_type: str) -> bool:
    mimetype, parameters = parse_options_header(content_type)
    return mimetype.lower() == "application/json" and parameters.get("charset", "utf-8").lower() in ("utf-8", "utf8")


def _read(environ: Mapping[str, Any], max_bytes: int) -> bytes:
    """Return the body, which a worker has read already."""
    declared = environ.get("CONTENT_LENGTH") or ""
    num_declared = int(declared) if declared.isdigit() else None
    data: bytes = environ["wsgi.input"].read()
    if max(len(data), num_declared or 0) > max_bytes:
        raise body_too_large(max_bytes)
    if num_declared is not None and len(data) < num_declared:
        raise MalformedJsonError(f"The body ended after {len(data)} of {num_declared} bytes.")
    return data


def _decompressed(coding: str, data: bytes, max_bytes: int) -> bytes:
    names = [name.strip().lower() for name in coding.split(",")]
    codings = [name for name in names if name not in ("", "identity")]
    if not codings:
        return data
    if codings in (["gzip"], ["x-gzip"]):
        windows = [_GZIP]
    elif codings == ["deflate"]:
        # RFC 9110 means zlib's container; some clients send bare deflate.
        windows = [_ZLIB, _RAW]
    else:
        raise UnsupportedMediaTypeError("The body's Content-Encoding must be gzip, deflate or identity, once.")
    for window in windows:
        try:
            return _inflate(data, window, max_bytes)
        except zlib.error:
            continue
    raise MalformedJsonError(f"The body is not complete, valid {codings[0]}.")


def _inflate(data: bytes, window: int, max_bytes: int) -> bytes:
    """Decompress all members of at most max_bytes together; raises zlib.error when they are broken or cut."""
    out = bytearray()
    for _ in range(_MOST_MEMBERS):
        stream = zlib.decompressobj(window)
        out += stream.decompress(data, max_bytes + 1 - len(out))
        if len(out) > max_bytes:
            raise PayloadTooLargeError(f"The decompressed body has more than {max_bytes} bytes (max_body_bytes).")
        if not stream.eof:
            raise zlib.error("the stream is cut")
        data = stream.unused_data
        if not data:
            return bytes(out)
        if window != _GZIP:
            raise zlib.error("something follows the stream")
    raise MalformedJsonError(f"The body has more than {_MOST_MEMBERS} gzip members.")


_UNTYPED = msgspec.json.Decoder(float_hook=_number)
