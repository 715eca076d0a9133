"""Small graphs in memory or in a folder, run with the options of the service."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from seqserve.entries import GraphEntry, Tensor
from seqserve.graph import Graph
from seqserve.tagger.load import tagger_signature
from seqserve.training.export.builder import GraphBuilder, value_infos
from seqserve.training.export.cells.table import find_cell
from seqserve.training.export.crf import add_crf
from seqserve.training.export.potentials import Potentials
from seqserve.training.export.weights import save_graphs
from seqserve.training.taggers.graph import TaggerOptions, build_tagger


def open_graph(
    folder: Path, model: onnx.ModelProto, tensors: dict, inputs: list[Tensor], outputs: list[Tensor]
) -> Graph:
    save_graphs(folder, weights_file="weights.safetensors", graphs={"test.onnx": (model, tensors)})
    entry = GraphEntry(file="test.onnx", sha256="0" * 64, bytes=0, inputs=inputs, outputs=outputs)
    return Graph.open(folder / "test.onnx", entry)


def open_tagger(folder: Path, weights: dict, options: TaggerOptions) -> Graph:
    folder.mkdir(exist_ok=True)
    model, tensors = build_tagger(weights, options)
    return open_graph(folder, model, tensors, *tagger_signature(len(options.tags)))


def open_crf(folder: Path, potentials: Potentials) -> Graph:
    """emissions (T,B,K+1), lengths (B,) int64 -> path, tag_probs, span_probs, continue_probs, all time-major."""
    builder = GraphBuilder()
    names = [builder.unique(name) for name in ("emissions", "lengths")]
    results = add_crf(builder, potentials, *names)
    size = len(potentials.between)
    for result, name in zip(results, ("path", "tag_probs", "span_probs", "continue_probs"), strict=True):
        builder.add("Identity", [result], name)
    by_tag = ["T", "B", size - 1]
    shapes = {"path": ["T", "B"], "tag_probs": by_tag, "span_probs": ["T", "B"], "continue_probs": by_tag}
    kinds = {name: TensorProto.INT64 if name == "path" else TensorProto.FLOAT for name in shapes}
    model = builder.model(
        "crf",
        [
            helper.make_tensor_value_info("emissions", TensorProto.FLOAT, ["T", "B", size]),
            helper.make_tensor_value_info("lengths", TensorProto.INT64, ["B"]),
        ],
        [helper.make_tensor_value_info(name, kinds[name], shape) for name, shape in shapes.items()],
    )
    inputs = [
        Tensor(name="emissions", dtype="float32", shape=["T", "B", size]),
        Tensor(name="lengths", dtype="int64", shape=["B"]),
    ]
    outputs = [
        Tensor(name=name, dtype="int64" if name == "path" else "float32", shape=shape) for name, shape in shapes.items()
    ]
    return open_graph(folder, model, builder.tensors, inputs, outputs)


def open_cell_step(folder: Path, cell: str, layer: dict) -> Graph:
    """inputs (B,I), part_0 (B,H), ... -> new_0 (B,H), ..."""
    builder = GraphBuilder()
    hidden_size, input_size = layer["weight_hh_l0"].shape[1], layer["weight_ih_l0"].shape[1]
    parts = [f"part_{number}" for number in range(find_cell(cell).num_parts)]
    results = find_cell(cell).add_step(builder, layer, "inputs", parts, name="layer")
    for number, result in enumerate(results):
        builder.add("Identity", [result], f"new_{number}")
    inputs = [Tensor(name="inputs", dtype="float32", shape=["B", input_size])]
    inputs += [Tensor(name=part, dtype="float32", shape=["B", hidden_size]) for part in parts]
    outputs = [Tensor(name=f"new_{n}", dtype="float32", shape=["B", hidden_size]) for n in range(len(parts))]
    model = builder.model("cell", value_infos(inputs), value_infos(outputs))
    return open_graph(folder, model, builder.tensors, inputs, outputs)


def random_batch(
    generator: np.random.Generator, shape: tuple[int, int, int], *, num_words: int, num_characters: int
) -> dict[str, np.ndarray]:
    """Feeds of a tagger, (B,T,L) = shape: random lengths, one row and one word as long as they can be."""
    rows, tokens, chars = shape
    lengths = generator.integers(1, tokens + 1, rows).astype(np.int32)
    lengths[generator.integers(rows)] = tokens
    real = np.arange(tokens) < lengths[:, None]  # (B,T)
    word_lengths = generator.integers(1, chars + 1, (rows, tokens))
    word_lengths[lengths.argmax(), 0] = chars
    spelled = (np.arange(chars) < word_lengths[:, :, None]) & real[:, :, None]
    return {
        "words": np.where(real, generator.integers(1, num_words, real.shape), 0).astype(np.int32),
        "chars": np.where(spelled, generator.integers(1, num_characters, spelled.shape), 0).astype(np.int32),
        "lengths": lengths,
    }


def row_alone(feeds: dict[str, np.ndarray], row: int) -> dict[str, np.ndarray]:
    """One row without any padding."""
    length = int(feeds["lengths"][row])
    words, chars = feeds["words"][row, :length], feeds["chars"][row, :length]
    longest = int((chars != 0).sum(axis=1).max())
    return {"words": words[None], "chars": chars[None, :, :longest], "lengths": feeds["lengths"][row, None]}
