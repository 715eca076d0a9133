"""Which files a graph names: every place where ONNX allows a tensor, and nothing is guessed from garbage."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.errors import BundleError
from seqserve.external_data import (
    _ATTRIBUTE,
    _ENTRY,
    _FUNCTION,
    _GRAPH,
    _INSIDE,
    _MODEL,
    _NODE,
    _SPARSE,
    _TENSOR,
    _TRAINING,
    external_files,
)
from seqserve.loading import verify_bundle
from seqserve.manifest import sha256_of
from tests.seqserve.tiny_bundle import TINY, Spoiled

_NAMES = {
    "ModelProto": _MODEL,
    "TrainingInfoProto": _TRAINING,
    "GraphProto": _GRAPH,
    "FunctionProto": _FUNCTION,
    "NodeProto": _NODE,
    "AttributeProto": _ATTRIBUTE,
    "SparseTensorProto": _SPARSE,
    "TensorProto": _TENSOR,
    "StringStringEntryProto": _ENTRY,
}


def field(number: int, content: bytes) -> bytes:
    """Return a field of bytes, whose size may take two bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


def tensor_at(location: str) -> bytes:
    """Return the bytes of a TensorProto whose data lie in another file."""
    other = field(13, field(1, b"offset") + field(2, b"7"))
    return other + field(13, field(1, b"location") + field(2, location.encode()))


def test_the_shipped_graphs_name_their_weights_only() -> None:
    assert external_files((TINY / "tagger.onnx").read_bytes()) == {"weights.safetensors"}


PLACES: dict[str, tuple[int, ...]] = {
    "initializer": (7, 5),
    "sparse initializer's values": (7, 15, 1),
    "sparse initializer's indices": (7, 15, 2),
    "attribute": (7, 1, 5, 5),
    "attribute's list": (7, 1, 5, 10),
    "body": (7, 1, 5, 6, 5),
    "body in a body": (7, 1, 5, 6, 1, 5, 11, 5),
    "sparse attribute": (7, 1, 5, 22, 1),
    "list of sparse attributes": (7, 1, 5, 23, 2),
    "function": (25, 7, 5, 5),
    "default of a function's attribute": (25, 11, 5),
    "training": (20, 2, 5),
}


@pytest.mark.parametrize("path", PLACES.values(), ids=PLACES.keys())
def test_a_location_is_found_wherever_a_tensor_may_be(path: tuple[int, ...]) -> None:
    content = tensor_at("other.bin")
    for number in reversed(path):
        content = b"\x08\x07" + field(number, content)  # any number may stand beside it
    assert external_files(content) == {"other.bin"}


def test_subgraphs_may_be_deeper_than_python_can_call() -> None:
    content = field(5, tensor_at("deep.bin"))
    for _ in range(3_000):
        content = field(1, field(5, field(6, content)))
    assert external_files(field(7, content)) == {"deep.bin"}


def test_of_a_key_or_value_given_twice_the_last_counts_as_in_protobuf() -> None:
    entry = field(1, b"offset") + field(1, b"location") + field(2, b"weights") + field(2, b"../secret")
    assert external_files(field(7, field(5, field(13, entry)))) == {"../secret"}


GARBAGE: dict[str, bytes] = {
    "text": b"no graph",
    "size beyond the end": b"\x3a\x05\x00",
    "key without value": b"\x08",
    "half a fixed field": b"\x09\x00\x00",
    "endless number": b"\x08" + b"\x80" * 10 + b"\x00",
    "field 0": b"\x02\x00",
    "group": b"\x0b\x0c",
    "key above 32 bits": b"\xba\x80\x80\x80\x10\x00",
    "location that is not UTF-8": field(7, field(5, field(13, field(1, b"location") + field(2, b"\xff")))),
}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        external_files(content)


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda inner: field(7, field(5, inner))))
def test_any_bytes_give_names_or_an_error(content: bytes) -> None:
    try:
        found = external_files(content)
    except ValueError:
        return
    assert all(isinstance(name, str) for name in found)


def test_the_fields_are_those_of_onnx() -> None:
    """The oracle is the format's own description: every field that is, or leads to, a tensor's external data."""
    onnx = pytest.importorskip("onnx")
    messages = onnx.ModelProto.DESCRIPTOR.file.message_types_by_name
    fields = {
        name: {f.number: f.message_type.name for f in message.fields if f.message_type}
        for name, message in messages.items()
    }
    external = messages["TensorProto"].fields_by_name["external_data"]
    fields["TensorProto"] = {external.number: "StringStringEntryProto"}
    leading = {"TensorProto"}
    while more := {name for name in fields.keys() - leading if leading & set(fields[name].values())}:
        leading |= more
    assert leading == _NAMES.keys() - {"StringStringEntryProto"}
    for name in leading:
        ways = leading | {"StringStringEntryProto"} if name == "TensorProto" else leading
        assert _INSIDE[_NAMES[name]] == {n: _NAMES[to] for n, to in fields[name].items() if to in ways}, name


def renamed(change: Callable[[Any], None]) -> bytes:
    """Return the tiny tagger's graph, changed by the library that knows the format."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(TINY / "tagger.onnx", load_external_data=False)
    change(model)
    content: bytes = model.SerializeToString()
    return content


def test_a_graph_that_reads_a_file_without_a_checksum_is_refused(spoiled: Spoiled) -> None:
    """The same bytes under another name: only the name is wrong."""
    (spoiled.folder / "other.bin").write_bytes((spoiled.folder / "weights.safetensors").read_bytes())

    def read_other(model: Any) -> None:
        entry = next(e for t in model.graph.initializer for e in t.external_data if e.key == "location")
        entry.value = "other.bin"

    spoiled.replace("tagger.onnx", renamed(read_other))
    with pytest.raises(BundleError, match=r"tagger\.onnx: reads data from 'other\.bin', which manifest\.json does not"):
        verify_bundle(spoiled.folder)
    path = spoiled.folder / "other.bin"
    entry = {"file": path.name, "sha256": sha256_of(path), "bytes": path.stat().st_size}
    spoiled.edit(lambda m: m["extra_files"].append(entry))
    verify_bundle(spoiled.folder)


def test_a_body_that_reads_a_file_without_a_checksum_is_refused(spoiled: Spoiled) -> None:
    def add_constant(model: Any) -> None:
        attribute = model.graph.node.add(op_type="Constant", output=["unused"]).attribute.add(name="value")
        attribute.t.external_data.add(key="location", value="/etc/passwd")

    spoiled.replace("tagger.onnx", renamed(add_constant))
    with pytest.raises(BundleError, match=r"reads data from '/etc/passwd', which manifest\.json does not list"):
        verify_bundle(spoiled.folder)


def test_a_graph_in_another_format_is_refused(spoiled: Spoiled) -> None:
    (spoiled.folder / "tagger.onnx").rename(spoiled.folder / "tagger.ort")
    spoiled.edit(lambda m: m["graphs"]["tagger"].update(file="tagger.ort"))
    with pytest.raises(BundleError, match=r"tagger\.ort: a graph's file name must end in \.onnx"):
        verify_bundle(spoiled.folder)
