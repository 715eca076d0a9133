"""Every request decoder, for any bytes: a struct of its type, or an error whose pointers lead somewhere."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seqserve.errors import RequestError
from seqserve.service.body import decode_json
from seqserve.service.errors import KINDS
from seqserve.service.routes.table import ROUTES
from tests.fuzz.strategies import JSON_VALUES, SCALARS, patient

Kind = type[msgspec.Struct]
KINDS_OF_BODY: dict[str, Kind] = {route.path: route.request for route in ROUTES if route.request is not None}
FULL: dict[str, dict[str, Any]] = {
    "/v1/tag": {
        **{"model": "m", "text": ["a b"], "labels": ["PER"], "min_score": 0.5, "include": ["tokens"]},
        "decode": "expected_f1",
    },
    "/v1/score": {"model": "m", "text": ["a"], "context": ["b"], "eos": True, "include": ["tokens"], "top": 3},
    "/v1/rank": {
        "model": "m",
        "candidates": ["a", {"text": "b", "score": -1.5}],
        "context": "c",
        "lm_weight": 1,
        "length_bonus": 0.5,
        "normalize": "tokens",
    },
    "/v1/sample": {
        **{"model": "m", "prompt": "a", "n": 2, "max_tokens": 9, "min_tokens": 1, "temperature": 0.7, "top_k": 3},
        **{"top_p": 0.9, "min_p": 0.1, "repetition_penalty": 1.1, "stop": ["."], "banned": ["b"], "seed": 2**64 - 1},
        **{"allow_unknown": False, "ignore_eos": False, "include": ["tokens"], "stream": False},
    },
    "/v1/classify": {"model": "m", "text": ["a"]},
    "/v1/transduce": {"model": "m", "text": "a", "max_tokens": 5, "beams": 2},
}
LONGEST_NAME = 100
"""An unknown field's name is repeated up to here, so that an error is no echo."""

each_body = pytest.mark.parametrize("path", KINDS_OF_BODY)


def places_of(value: object) -> Iterator[list[Any]]:
    """Yield the path of every place inside a JSON value, the whole first."""
    yield []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, each in inner:
        yield from ([step, *rest] for rest in places_of(each))


@st.composite
def spoiled(draw: st.DrawFn, path: str) -> Any:
    """A full, valid body with one to three things changed: replaced, left out, added."""
    body: Any = copy.deepcopy(FULL[path])
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(places_of(body))))
        value = draw(SCALARS | JSON_VALUES)
        if not place:
            body = value if draw(st.integers(0, 9)) == 0 else body
            continue
        holder = body
        for step in place[:-1]:
            holder = holder[step]
        change = draw(st.sampled_from(["replace", "leave out", "add"]))
        if change == "leave out":
            del holder[place[-1]]
        elif change == "replace":
            holder[place[-1]] = value
        elif isinstance(holder, dict):
            holder[draw(st.text(max_size=120))] = value
        else:
            holder.insert(place[-1], value)
    return body


def resolve(body: Any, pointer: str) -> Any:
    """Return what a JSON Pointer (RFC 6901) leads to; fails where it leads nowhere."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        body = body[int(name)] if isinstance(body, list) else body[name]
    return body


def outcome_of(data: bytes, kind: Kind) -> msgspec.Struct | RequestError:
    """Return what a body is decoded to, or the error; any other exception is a bug."""
    try:
        return decode_json(data, kind)
    except RequestError as error:
        return error


def is_json(data: bytes) -> bool:
    """Say whether bytes are JSON in UTF-8 as RFC 8259 has it, by another decoder than the service's."""
    try:
        found = json.loads(data.decode(), parse_constant=refuse, parse_int=str, parse_float=str)
        json.dumps(found, ensure_ascii=False).encode()  # fails for lone surrogates
    except (ValueError, RecursionError):
        return False
    return True


def refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def check_outcome(data: bytes, kind: Kind) -> None:
    """Check that a body is decoded to its type or refused as the table of errors says."""
    found = outcome_of(data, kind)
    if not isinstance(found, RequestError):
        assert isinstance(found, kind)
        assert msgspec.json.decode(msgspec.json.encode(found), type=kind) == found
        return
    status = KINDS[found.code].status
    assert status == (422 if is_json(data) else 400), found.detail
    for field in found.fields:
        assert field.detail
        if len(field.pointer.rpartition("/")[2]) < LONGEST_NAME:
            resolve(json.loads(data), field.pointer)
    assert bool(found.fields) == (status == 422)


@each_body
def test_full_bodies_are_taken(path: str) -> None:
    assert set(FULL[path]) | {"tokens"} >= set(KINDS_OF_BODY[path].__struct_fields__)
    assert isinstance(outcome_of(json.dumps(FULL[path]).encode(), KINDS_OF_BODY[path]), KINDS_OF_BODY[path])


@each_body
@patient
@given(data=st.binary(max_size=64))
def test_any_bytes(path: str, data: bytes) -> None:
    check_outcome(data, KINDS_OF_BODY[path])


@each_body
@patient
@given(value=JSON_VALUES)
def test_any_json(path: str, value: object) -> None:
    check_outcome(json.dumps(value).encode(), KINDS_OF_BODY[path])


@each_body
@patient
@given(data=st.data())
def test_valid_bodies_with_something_changed(path: str, data: st.DataObject) -> None:
    body = data.draw(spoiled(path))
    check_outcome(json.dumps(body, ensure_ascii=data.draw(st.booleans())).encode(), KINDS_OF_BODY[path])


@each_body
@patient
@given(
    start=st.integers(0, 400),
    size=st.integers(0, 12),
    put=st.binary(max_size=6)
    | st.sampled_from(
        [b'"', b"\\", b"\\ud800", b"\\u0000", b"NaN", b"-", b"1e999", b"[" * 2000, b"\xed\xa0\x80", b"\xff"]
    ),
)
@example(start=400, size=0, put=b" x")
@example(start=0, size=0, put=b"1e999 ")
def test_valid_bodies_with_some_bytes_changed(path: str, start: int, size: int, put: bytes) -> None:
    data = json.dumps(FULL[path]).encode()
    check_outcome(data[:start] + put + data[start + size :], KINDS_OF_BODY[path])


@each_body
@patient
@given(name=st.text(max_size=120))
@example(name="")
@example(name="a/b~c")
@example(name="a`b")
@example(name="a` - at `$.text")
def test_an_unknown_field_is_pointed_at(path: str, name: str) -> None:
    kind = KINDS_OF_BODY[path]
    if name in kind.__struct_fields__:
        return
    with pytest.raises(RequestError, match="not known") as caught:
        decode_json(json.dumps({**FULL[path], name: 1}).encode(), kind)
    (field,) = caught.value.fields
    assert resolve({name[:LONGEST_NAME]: 1}, field.pointer) == 1
