"""One session: it fits its manifest, and never sees what would end the process."""

import threading
from typing import Any

import msgspec
import numpy as np
import pytest

from seqserve.entries import GraphEntry, Tensor
from seqserve.errors import BundleError
from seqserve.graph import Graph, provider_name
from seqserve.manifest import read_manifest
from seqserve.service.memory import resident_bytes
from tests.seqserve.tiny_bundle import TINY, Spoiled

ENTRY = read_manifest(TINY).graphs.tagger
WORDS, CHARS, LENGTHS = ENTRY.inputs
TAGS, TAG_PROBS, SPAN_PROBS = ENTRY.outputs


@pytest.fixture(scope="module")
def graph() -> Graph:
    return Graph.open(TINY / ENTRY.file, ENTRY)


def feeds(**changes: Any) -> dict[str, Any]:
    good = {
        "words": np.ones((2, 3), np.int32),
        "chars": np.ones((2, 3, 2), np.int32),
        "lengths": np.full(2, 3, np.int32),
    }
    return good | changes


def test_outputs_come_by_name(graph: Graph) -> None:
    outputs = graph.run(feeds())
    assert {name: (str(array.dtype), array.ndim) for name, array in outputs.items()} == {
        tensor.name: (tensor.dtype, len(tensor.shape)) for tensor in ENTRY.outputs
    }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"words": np.ones((0, 3), np.int32)}, r"input words must not be empty, its shape is \(0, 3\)"),
        ({"words": np.ones((2, 0), np.int32)}, "input words must not be empty"),
        ({"chars": np.ones((2, 3, 0), np.int32)}, "input chars must not be empty"),
        ({"words": np.ones((2, 3), np.int64)}, "input words must be int32"),
        ({"lengths": np.ones((2, 1), np.int32)}, "input lengths must be int32 of shape"),
        ({"lengths": np.ones(3, np.int32)}, "input lengths has 3 instead of 2 in the dimension B"),
        ({"chars": np.ones((2, 4, 2), np.int32)}, "input chars has 4 instead of 3 in the dimension T"),
        ({"more": np.ones(1, np.int32)}, "inputs must be"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value[:40],
)
def test_wrong_arrays_are_refused_before_the_runtime_sees_them(
    graph: Graph, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        graph.run(feeds(**changes))


def test_threads_share_a_graph(graph: Graph) -> None:
    expected = graph.run(feeds())["tag_probs"].tobytes()
    answers: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: answers.append(graph.run(feeds())["tag_probs"].tobytes())) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected] * 8


def test_a_small_run_gives_the_memory_of_a_large_one_back(graph: Graph) -> None:
    """Blocks this large are mapped by themselves, so what is freed leaves the process at once."""
    large = {
        "words": np.ones((4096, 64), np.int32),
        "chars": np.ones((4096, 64, 2), np.int32),
        "lengths": np.full(4096, 64, np.int32),
    }
    graph.run(feeds())
    before = resident_bytes()
    graph.run(large)
    grown = resident_bytes() - before
    assert grown > 50_000_000
    graph.run(feeds())
    assert resident_bytes() - before < grown / 2


def changed(tensor: Tensor, **changes: Any) -> Tensor:
    return msgspec.structs.replace(tensor, **changes)


@pytest.mark.parametrize(
    ("inputs", "outputs", "reason"),
    [
        ([WORDS, CHARS], ENTRY.outputs, r"has the inputs \['chars', 'lengths', 'words'\] instead of the manifest's"),
        (ENTRY.inputs, [*ENTRY.outputs, changed(TAGS, name="more")], "has the outputs"),
        ([changed(WORDS, dtype="int64"), CHARS, LENGTHS], ENTRY.outputs, "input words is int32 instead of .* int64"),
        ([WORDS, changed(CHARS, shape=["B", "T"]), LENGTHS], ENTRY.outputs, "input chars has rank 3 instead of"),
        (ENTRY.inputs, [TAGS, changed(TAG_PROBS, shape=["B", "T", 12]), SPAN_PROBS], "output tag_probs has shape"),
    ],
    ids=["input missing", "output missing", "dtype", "rank", "size"],
)
def test_a_graph_that_does_not_fit_is_refused(inputs: list[Tensor], outputs: list[Tensor], reason: str) -> None:
    entry = GraphEntry(file=ENTRY.file, sha256=ENTRY.sha256, bytes=ENTRY.bytes, inputs=inputs, outputs=outputs)
    with pytest.raises(BundleError, match=rf"\A\S*tagger\.onnx: [^\n]*{reason}[^\n]*\Z"):
        Graph.open(TINY / ENTRY.file, entry)


@pytest.mark.parametrize("content", [b"", b"no graph", b"\x08\x07"], ids=["empty", "text", "version only"])
def test_what_is_no_graph_is_refused(spoiled: Spoiled, content: bytes) -> None:
    (spoiled.folder / "tagger.onnx").write_bytes(content)
    with pytest.raises(BundleError, match=r"\A\S*tagger\.onnx: the runtime cannot open it: [^\n]+\Z"):
        Graph.open(spoiled.folder / "tagger.onnx", ENTRY)


def test_missing_weights_are_told(spoiled: Spoiled) -> None:
    (spoiled.folder / "weights.safetensors").unlink()
    with pytest.raises(BundleError, match=r"tagger\.onnx: the runtime cannot open it: [^\n]*weights\.safetensors"):
        Graph.open(spoiled.folder / "tagger.onnx", ENTRY)


@pytest.mark.parametrize(
    ("provider", "available", "reason"),
    [
        ("cuda", ["CPUExecutionProvider"], "provider 'cuda' is not available: .* no CUDAExecutionProvider"),
        ("tpu", ["CPUExecutionProvider"], "provider must be one of cpu, cuda, not 'tpu'"),
    ],
)
def test_a_provider_that_is_not_there_is_refused(
    monkeypatch: pytest.MonkeyPatch, provider: str, available: list[str], reason: str
) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: available)
    with pytest.raises(BundleError, match=reason):
        provider_name(provider)
