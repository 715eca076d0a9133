"""The graph of a classifier: words, chars, lengths -> probs (see docs/design.md)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from seqserve.classifier.load import classifier_signature
from seqserve.training.export.builder import GraphBuilder, value_infos
from seqserve.training.export.encoder import add_encoder, add_feed_forward
from seqserve.training.export.features import READER_INPUTS, add_features
from seqserve.training.export.mask import add_mask
from seqserve.training.export.weights import Arrays, add_linear


@dataclass(frozen=True)
class ClassifierOptions:
    """pooling: last, middle, mean or max; table_dtype: of word vectors, float32 or float16."""

    cell: str
    pooling: str
    table_dtype: str = "float16"


def build_classifier(weights: Arrays, options: ClassifierOptions) -> tuple[onnx.ModelProto, dict[str, NDArray[Any]]]:
    """Return the graph and the tensors of its weights file; `weights`: a classifier's state dict as arrays."""
    graph = GraphBuilder()
    words, chars, lengths = (graph.unique(name) for name in READER_INPUTS)
    features = add_features(graph, weights, words, chars, table_dtype=options.table_dtype)
    states, ends = add_encoder(graph, weights, features, lengths, cell=options.cell)
    if options.pooling == "last":
        pooled = ends[0] if len(ends) == 1 else graph.add("Concat", ends, "pooled", axis=1)  # (B,D*H)
    elif options.pooling == "middle":
        pooled = _add_middle(graph, states, lengths, bidirectional=len(ends) == 2)
    else:
        add_pool = {"mean": _add_mean, "max": _add_max}[options.pooling]
        pooled = add_pool(graph, states, lengths, add_mask(graph, states, lengths, name="pooled"))
    hidden = add_feed_forward(graph, weights, pooled, name="feed_forward")
    logits = add_linear(graph, weights, "output", hidden, name="logits")  # (B,K)
    graph.add("Softmax", [logits], "probs", axis=1)
    inputs, outputs = classifier_signature(len(weights["output.bias"]))
    return graph.model("classifier", value_infos(inputs), value_infos(outputs)), graph.tensors


def _add_middle(graph: GraphBuilder, states: str, lengths: str, *, bidirectional: bool) -> str:
    """Add states (T,B,D*H) where the directions meet (B,D*H): forward at token (length-1)//2, backward at length//2."""
    ends = graph.add("Cast", [lengths], "pooled.ends", to=TensorProto.INT64)
    num_rows = graph.add("Squeeze", [graph.add("Shape", [lengths], "pooled.shape")], "pooled.num_rows")
    limits = graph.scalar(0, np.int64), num_rows, graph.scalar(1, np.int64)
    rows = graph.add("Range", limits, "pooled.rows")
    before = graph.add("Sub", [ends, graph.scalar(1, np.int64)], "pooled.before")
    if not bidirectional:
        return _add_states_at(graph, states, before, rows, name="pooled")
    directions = graph.add_many("Split", [states], ["pooled.forward", "pooled.backward"], axis=2, num_outputs=2)
    meeting = [
        _add_states_at(graph, own, doubled, rows, name="pooled.meeting")
        for own, doubled in zip(directions, (before, ends), strict=True)
    ]
    return graph.add("Concat", meeting, "pooled", axis=1)


def _add_states_at(graph: GraphBuilder, states: str, doubled: str, rows: str, *, name: str) -> str:
    """Add states (T,B,N) of each row at token doubled // 2 (B,N)."""
    places = graph.add("Div", [doubled, graph.scalar(2, np.int64)], name + ".places")
    columns = [graph.add("Unsqueeze", [each, graph.ints(1)], name + ".column") for each in (places, rows)]
    return graph.add("GatherND", [states, graph.add("Concat", columns, name + ".indices", axis=1)], name)


def _add_mean(graph: GraphBuilder, states: str, lengths: str, is_real: str) -> str:
    """Add the mean of states (T,B,N) over each row's tokens (B,N); padding does not change the sums."""
    real = graph.add("Where", [is_real, states, graph.scalar(0, np.float32)], "pooled.real")
    sums = graph.add("CumSum", [real, graph.scalar(0, np.int64)], "pooled.sums")
    total = graph.add("Gather", [sums, graph.scalar(-1, np.int64)], "pooled.total", axis=0)
    counts = graph.add("Cast", [lengths], "pooled.counts", to=TensorProto.FLOAT)
    return graph.add("Div", [total, graph.add("Unsqueeze", [counts, graph.ints(1)], "pooled.column")], "pooled")


def _add_max(graph: GraphBuilder, states: str, lengths: str, is_real: str) -> str:
    """Add the maximum of states (T,B,N) over each row's tokens (B,N)."""
    real = graph.add("Where", [is_real, states, graph.scalar(-np.inf, np.float32)], "pooled.real")
    return graph.add("ReduceMax", [real, graph.ints(0)], "pooled", keepdims=0)
