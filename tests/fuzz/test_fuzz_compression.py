"""Compressed bodies that are cut, spoiled, joined or bombs: the JSON that was meant or an error, in bounded memory."""

import gzip
import json
import math
import tracemalloc
import zlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from seqserve.errors import RequestError
from seqserve.service.body import from_body
from seqserve.service.context import Exchange
from seqserve.service.engine.cancellation import Cancellation
from seqserve.service.errors import MalformedJsonError, PayloadTooLargeError
from seqserve.service.routes.classify import ClassifyRequest
from seqserve.service.settings import Settings
from tests.fuzz.strategies import patient

MAX_BYTES = 64 * 1024
BODY = json.dumps({"text": "what was meant"}).encode()


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


CODINGS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
}
each_coding = pytest.mark.parametrize(("coding", "compress"), CODINGS.values(), ids=CODINGS)
CODES_OR_MEANT = {"what was meant", "malformed_json", "payload_too_large", "invalid_request"}
HEADER_TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40)


def read(data: bytes, *, max_bytes: int = MAX_BYTES, **headers: str) -> ClassifyRequest:
    """Read a body as a route does."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    builder = EnvironBuilder(method="POST", data=data, headers={"Content-Type": "application/json", **named})
    parts: Any = SimpleNamespace(settings=Settings(max_body_bytes=max_bytes))
    here = Exchange(parts, builder.get_environ(), "id", 0.0, Cancellation(math.inf))
    return from_body(here, ClassifyRequest, lambda _, body: body)


def outcome_of(data: bytes, **headers: str) -> str:
    """Return the text that was read, or the code of the error; any other exception is a bug."""
    try:
        return str(read(data, **headers).text)
    except RequestError as error:
        return error.code


@each_coding
@patient
@given(text=st.text(max_size=200), level=st.integers(0, 200))
def test_what_is_compressed_is_read(coding: str, compress: Callable[[bytes], bytes], text: str, level: int) -> None:
    body = json.dumps({"text": text}).encode() + b" " * level
    assert read(compress(body), Content_Encoding=coding).text == text


@each_coding
def test_a_body_cut_anywhere_is_malformed(coding: str, compress: Callable[[bytes], bytes]) -> None:
    data = compress(BODY)
    for end in range(len(data)):
        with pytest.raises(MalformedJsonError):
            read(data[:end], Content_Encoding=coding)


@pytest.mark.parametrize(("coding", "compress"), [CODINGS["gzip"], CODINGS["zlib"]], ids=["gzip", "zlib"])
@patient
@given(place=st.integers(0, 100), value=st.integers(1, 255))
def test_a_spoiled_byte_never_changes_what_is_read(
    coding: str, compress: Callable[[bytes], bytes], place: int, value: int
) -> None:
    data = bytearray(compress(BODY))
    data[place % len(data)] ^= value
    assert outcome_of(bytes(data), Content_Encoding=coding) in ("what was meant", "malformed_json")


@each_coding
@patient
@given(data=st.binary(max_size=80), place=st.integers(0, 100))
def test_any_bytes_within_are_refused_or_no_matter(
    coding: str, compress: Callable[[bytes], bytes], data: bytes, place: int
) -> None:
    good = compress(BODY)
    for spoiled in (data, good[:place] + data, data + good):
        assert outcome_of(spoiled, Content_Encoding=coding) in CODES_OR_MEANT


@patient
@given(sizes=st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_members_of_gzip_are_read_as_one(sizes: list[int]) -> None:
    parts, rest = [], BODY
    for size in sizes:
        parts.append(rest[:size])
        rest = rest[size:]
    joined = b"".join(gzip.compress(part) for part in [*parts, rest])
    assert read(joined, Content_Encoding="gzip").text == "what was meant"
    with pytest.raises(MalformedJsonError):
        read(joined + b"x", Content_Encoding="gzip")


def bomb_of_members(data: bytes) -> bytes:
    return gzip.compress(data[: len(data) // 50]) * 50


@pytest.mark.parametrize(
    ("coding", "compress"), [*CODINGS.values(), ("gzip", bomb_of_members)], ids=[*CODINGS, "many members"]
)
def test_a_bomb_takes_no_more_memory_than_the_largest_body(coding: str, compress: Callable[[bytes], bytes]) -> None:
    bomb = compress(b" " * 40_000_000)
    assert len(bomb) < MAX_BYTES
    tracemalloc.start()
    try:
        with pytest.raises(PayloadTooLargeError):
            read(bomb, Content_Encoding=coding)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * MAX_BYTES


@each_coding
@patient
@given(spare=st.integers(-3, 3))
@example(spare=0)
def test_the_limit_holds_for_what_was_decompressed(coding: str, compress: Callable[[bytes], bytes], spare: int) -> None:
    data = compress(BODY + b" " * 500)
    limit = len(BODY) + 500 + spare
    if spare >= 0:
        assert read(data, max_bytes=limit, Content_Encoding=coding).text == "what was meant"
    else:
        with pytest.raises(PayloadTooLargeError, match="decompressed"):
            read(data, max_bytes=limit, Content_Encoding=coding)


@patient
@given(name=st.sampled_from(["Content-Type", "Content-Encoding", "Content-Length"]), value=HEADER_TEXTS)
@example(name="Content-Type", value="application/json; charset*=utf-8''%ff")
@example(name="Content-Type", value='application/json; charset="utf-8')
@example(name="Content-Type", value="application/json; charset*0=u; charset*1=tf-8")
@example(name="Content-Length", value="-1")
@example(name="Content-Length", value="99999999999999999999")
@example(name="Content-Length", value="1_0")
@example(name="Content-Encoding", value="gzip;q=0")
def test_any_header_is_understood_or_refused(name: str, value: str) -> None:
    assert outcome_of(BODY, **{name: value}) in {*CODES_OR_MEANT, "unsupported_media_type"}
