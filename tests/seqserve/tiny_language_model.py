"""A language model's bundle made of hand-written graphs: the model of tests/toy_language_model.py in ONNX.

Its step graph knows temperature 0 and 1 and banned ids, and leaves out all other parameters.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from seqserve.entries import FileEntry, GraphEntry
from seqserve.language.golden import Golden, record_golden
from seqserve.language.load import read_parts
from seqserve.language.manifest import LanguageModelManifest
from seqserve.language.signature import score_signature, step_signature
from seqserve.manifest import sha256_of, write_manifest
from seqserve.signature import Signature
from tests.toy_language_model import ToyLanguageModel

_TYPES = {"float32": TensorProto.FLOAT, "int32": TensorProto.INT32, "int64": TensorProto.INT64}
ROWS = [[2, 3, 4, 0], [3, 1, 5], [7, 6, 5, 4, 3, 2]]


@dataclass(frozen=True)
class Flaws:
    """What may be wrong: log-probabilities that move with the batch size, and a step graph of other weights."""

    moved_by_batch: float = 0.0
    step_bias: float = 0.0
    nan: bool = False
    fewer_ids: int = 0


def write_tiny(folder: Path, toy: ToyLanguageModel, flaws: Flaws = Flaws()) -> LanguageModelManifest:
    """Write the toy as a bundle's folder, with a golden record of its own answers."""
    folder.mkdir(parents=True, exist_ok=True)
    toy.vocabulary.write(folder / "tokens.txt")
    (folder / "weights.safetensors").write_bytes(b"in the graphs")
    size = toy.state_size
    onnx.save(_score_model(toy, flaws), folder / "score.onnx")
    onnx.save(_step_model(toy, flaws), folder / "step.onnx")
    manifest = msgspec.structs.replace(
        toy.manifest,
        graphs=type(toy.manifest.graphs)(
            score=_graph_entry(folder / "score.onnx", score_signature(size)),
            step=_graph_entry(folder / "step.onnx", step_signature(size)),
        ),
        weights=_entry(folder / "weights.safetensors"),
        vocabularies=msgspec.structs.replace(
            toy.manifest.vocabularies,
            tokens=type(toy.manifest.vocabularies.tokens)(
                **msgspec.structs.asdict(_entry(folder / "tokens.txt")), size=len(toy.vocabulary)
            ),
        ),
    )
    if not flaws.nan and not flaws.fewer_ids:
        golden = record_golden(read_parts(folder, manifest).open(folder), ROWS)
    else:
        golden = Golden(rows=[], samples=[])
    return rewrite_golden(folder, manifest, golden)


def rewrite_golden(folder: Path, manifest: LanguageModelManifest, golden: Golden) -> LanguageModelManifest:
    """Write golden.json and a manifest that says so."""
    path = folder / "golden.json"
    path.write_bytes(msgspec.json.encode(golden))
    entry = type(manifest.golden)(**msgspec.structs.asdict(_entry(path)), tolerance=1e-4)
    manifest = msgspec.structs.replace(manifest, golden=entry)
    write_manifest(folder, manifest)
    return manifest


def _entry(path: Path) -> FileEntry:
    return FileEntry(file=path.name, sha256=sha256_of(path), bytes=path.stat().st_size)


def _graph_entry(path: Path, signature: Signature) -> GraphEntry:
    return GraphEntry(**msgspec.structs.asdict(_entry(path)), inputs=signature[0], outputs=signature[1])


class _Nodes:
    """Collects nodes and constants of one graph."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def add(self, op: str, *inputs: str, out: str | None = None, **attributes: Any) -> str:
        name = out or f"{self.prefix}{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def model(self, signature: Signature) -> Any:
        inputs, outputs = (
            [helper.make_tensor_value_info(one.name, _TYPES[one.dtype], one.shape) for one in side]
            for side in signature
        )
        graph = helper.make_graph(self.nodes, "tiny", inputs, outputs, self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def _read(g: _Nodes, previous: str, state: str, ids: str, half: str) -> str:
    """state / 2 + onehot(previous); -1 is no id's place."""
    places = g.add("Equal", g.add("Unsqueeze", previous, "last"), ids)
    return g.add("Add", g.add("Mul", state, half), g.add("Cast", places, to=TensorProto.FLOAT))


def _log_probs(g: _Nodes, toy: ToyLanguageModel, read: str, flaws: Flaws, extra_bias: float = 0.0) -> str:
    size = len(toy.bias) - flaws.fewer_ids
    bias = toy.bias[:size] + extra_bias * np.arange(size)
    logits = g.add("Add", g.add("MatMul", read, g.constant(toy.recurrent.T[:, :size])), g.constant(bias))
    if flaws.moved_by_batch:
        rows = g.add("Cast", g.add("Shape", read, start=0, end=1), to=TensorProto.FLOAT)
        logits = g.add("Add", logits, g.add("Mul", rows, g.constant(flaws.moved_by_batch * np.arange(size))))
    if flaws.nan:
        logits = g.add("Mul", logits, g.constant(np.nan))
    return g.add("LogSoftmax", logits, axis=-1)


def _score_model(toy: ToyLanguageModel, flaws: Flaws) -> Any:
    g = _Nodes()
    size = toy.state_size
    g.constants.append(numpy_helper.from_array(np.array([-1], np.int64), "last"))
    ids, half, one = g.constant(np.arange(size), np.int32), g.constant(0.5), g.constant(1, np.int64)
    num_steps = g.add("Gather", g.add("Shape", "previous_ids"), one)
    steps = g.add("Range", g.constant(0, np.int64), num_steps, one)
    long_lengths = g.add("Cast", "lengths", to=TensorProto.INT64)

    body = _Nodes("body.")
    read = _read(body, "previous", "old", ids, half)
    real = body.add("Unsqueeze", body.add("Less", "t", long_lengths), "last")
    body.add("Where", real, read, "old", out="new")
    body.add("Identity", read, out="seen")
    info = helper.make_tensor_value_info
    inputs = [
        info("old", TensorProto.FLOAT, ["B", size]),
        info("previous", TensorProto.INT32, ["B"]),
        info("t", TensorProto.INT64, []),
    ]
    outputs = [info(name, TensorProto.FLOAT, ["B", size]) for name in ("new", "seen")]
    scanned = helper.make_graph(body.nodes, "body", inputs, outputs)
    by_time = g.add("Transpose", "previous_ids", perm=[1, 0])
    names = ["next_state", "reads"]
    g.nodes.append(helper.make_node("Scan", ["state", by_time, steps], names, body=scanned, num_scan_inputs=2))

    log_probs = _log_probs(g, toy, g.add("Transpose", "reads", perm=[1, 0, 2]), flaws)  # (B,T,V)
    targets = g.add("Unsqueeze", "target_ids", "last")
    own = g.add("GatherElements", log_probs, targets, axis=2)  # (B,T,1)
    real = g.add("Less", g.add("Unsqueeze", steps, g.constant([0], np.int64)), g.add("Unsqueeze", long_lengths, "last"))
    real3 = g.add("Unsqueeze", real, "last")
    better = g.add("Cast", g.add("Greater", log_probs, own), to=TensorProto.INT32)
    ranks = g.add("Add", g.add("ReduceSum", better, "last", keepdims=0), g.constant(1, np.int32))
    g.nodes.append(helper.make_node("TopK", [log_probs, "num_top"], ["top_values", "top_places"], axis=-1))
    nothing, none = g.constant(0), g.constant(0, np.int32)
    g.add("Where", real, g.add("Squeeze", own, "last"), nothing, out="log_probs")
    g.add("Where", real, ranks, none, out="ranks")
    g.add("Where", real3, g.add("Cast", "top_places", to=TensorProto.INT32), none, out="top_ids")
    g.add("Where", real3, "top_values", nothing, out="top_log_probs")
    return g.model(score_signature(size))


def _step_model(toy: ToyLanguageModel, flaws: Flaws) -> Any:
    g = _Nodes()
    size = toy.state_size
    g.constants.append(numpy_helper.from_array(np.array([-1], np.int64), "last"))
    ids = g.constant(np.arange(size), np.int32)
    read = _read(g, "previous_ids", "state", ids, g.constant(0.5))
    log_probs = _log_probs(g, toy, read, flaws, flaws.step_bias)
    kept_ids = g.constant(np.arange(size - flaws.fewer_ids), np.int32)
    hits = g.add("Equal", g.add("Unsqueeze", "banned_ids", "last"), kept_ids)  # (B,M,V)
    hit = g.add("ReduceMax", g.add("Cast", hits, to=TensorProto.DOUBLE), g.constant([1], np.int64), keepdims=0)
    free = g.add("Sub", g.constant(1, np.float64), hit)
    probs = g.add("Mul", g.add("Exp", g.add("Cast", log_probs, to=TensorProto.DOUBLE)), free)
    mass = g.add("CumSum", probs, g.constant(1, np.int64))
    total = g.add("ReduceSum", probs, "last")
    wanted = g.add("Mul", g.add("Cast", g.add("Unsqueeze", "uniforms", "last"), to=TensorProto.DOUBLE), total)
    above = g.add("Cast", g.add("Greater", mass, wanted), to=TensorProto.INT32)
    drawn = g.add("ArgMax", above, axis=1, keepdims=0)
    best = g.add("ArgMax", probs, axis=1, keepdims=0)
    chosen = g.add("Where", g.add("Equal", "temperatures", g.constant(0)), best, drawn)
    own = g.add("GatherElements", log_probs, g.add("Unsqueeze", chosen, "last"), axis=1)
    g.add("Squeeze", own, "last", out="log_probs")
    empty = g.add("Equal", g.add("Squeeze", total, "last"), g.constant(0, np.float64))
    g.add("Where", empty, g.constant(-1, np.int32), g.add("Cast", chosen, to=TensorProto.INT32), out="next_ids")
    g.add("Identity", read, out="next_state")
    return g.model(step_signature(size))
