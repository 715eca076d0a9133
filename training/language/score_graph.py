"""The graph `score` of a language model: log P of every target, its rank and the best alternatives."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from seqserve.language.signature import score_signature
from seqserve.training.export.builder import GraphBuilder, branch, value_infos
from seqserve.training.export.cells.table import find_cell
from seqserve.training.export.language_model import (
    TrainedLanguageModel,
    add_embedding,
    add_projection,
    join_state,
    split_state,
)
from seqserve.training.export.softmax import AdaptiveParts, FullParts, add_log_probs, add_target_log_probs


def build_score(
    trained: TrainedLanguageModel, *, table_dtype: str = "float16"
) -> tuple[onnx.ModelProto, dict[str, NDArray[Any]]]:
    """Return the graph and the tensors of its weights file; raises ValueError when the parts do not fit.

    See seqserve.language.signature for inputs and outputs. Only real positions reach the vocabulary; ranks and
    alternatives are computed when num_top > 0, and num_top beyond the vocabulary gives the whole vocabulary.
    """
    trained.check()
    graph = GraphBuilder()
    inputs, outputs = score_signature(sum(trained.part_sizes()))
    previous, targets, lengths, state, num_top = (graph.unique(tensor.name) for tensor in inputs)
    hidden = _add_states(graph, trained, (previous, lengths, state), table_dtype=table_dtype)  # (B,T,H)
    shape = graph.add("Shape", [targets], "shape")  # B, T
    places = _add_real_places(graph, targets, lengths)  # (N,)
    size = trained.hidden_sizes()[-1]
    flat = graph.add("Reshape", [hidden, graph.ints(-1, size)], "hidden.flat")
    chosen = add_projection(graph, trained.weights, graph.add("Gather", [flat, places], "hidden.real"))  # (N,P)
    flat_targets = graph.add("Reshape", [targets, graph.ints(-1)], "targets.flat")
    own = graph.add("Cast", [graph.add("Gather", [flat_targets, places], "targets.real")], "targets.long", to=_INT64)
    wanted = graph.add("Greater", [num_top, graph.scalar(0, np.int64)], "wants_all.row")
    wants_all = graph.add("Squeeze", [wanted], "wants_all")
    found, parts = add_target_log_probs(graph, trained, (chosen, own, wants_all), table_dtype=table_dtype)
    _scatter(graph, found, places, shape, name="log_probs", kind=np.float32)
    then = _add_alternatives(graph.body(), parts, (found, places, shape, num_top), num_ids=trained.num_ids)
    otherwise = _add_nothing(graph.body(), shape)
    kinds = [TensorProto.INT32, TensorProto.INT32, TensorProto.FLOAT]
    branch(graph, wants_all, then=then, otherwise=otherwise, names=["ranks", "top_ids", "top_log_probs"], kinds=kinds)
    return graph.model("score", value_infos(inputs), value_infos(outputs)), graph.tensors


_INT64 = TensorProto.INT64


def _add_states(
    graph: GraphBuilder, trained: TrainedLanguageModel, rows: tuple[str, str, str], *, table_dtype: str
) -> str:
    """Add the outputs of the last layer (B,T,H), and next_state."""
    previous, lengths, state = rows
    cell = find_cell(trained.cell)
    by_token = graph.add("Transpose", [previous], "ids", perm=[1, 0])  # (T,B)
    values = add_embedding(graph, trained.weights, by_token, table_dtype=table_dtype)  # (T,B,E)
    new_parts = []
    for index, (layer, parts) in enumerate(zip(trained.layers(), split_state(graph, trained, state), strict=True)):
        values, last = cell.add_sequence(graph, layer, values, lengths, parts, name=f"layers.{index}")
        new_parts.append(last)
    join_state(graph, new_parts, "next_state")
    return graph.add("Transpose", [values], "hidden", perm=[1, 0, 2])


def _add_real_places(graph: GraphBuilder, targets: str, lengths: str) -> str:
    """Add the places b * T + t of all real tokens, (N,) int64."""
    num_tokens = graph.add("Squeeze", [graph.add("Shape", [targets], "shape.tokens", start=1)], "num_tokens")
    zero, one = graph.scalar(0, np.int64), graph.scalar(1, np.int64)
    positions = graph.add("Range", [zero, num_tokens, one], "positions")
    ends = graph.add("Cast", [graph.add("Unsqueeze", [lengths, graph.ints(1)], "ends.int")], "ends", to=_INT64)
    is_real = graph.add("Reshape", [graph.add("Less", [positions, ends], "is_real"), graph.ints(-1)], "is_real.flat")
    return graph.add("Squeeze", [graph.add("NonZero", [is_real], "places.row"), graph.ints(0)], "places")


def _scatter(graph: GraphBuilder, values: str, places: str, shape: str, *, name: str, kind: type) -> str:
    """Return values (N,) at their places in an array (B,T), zeros elsewhere."""
    number = graph.add("ReduceProd", [shape, graph.ints(0)], name + ".number", keepdims=1)
    nothing = graph.add("Expand", [graph.scalar(0, kind), number], name + ".nothing")
    filled = graph.add("ScatterElements", [nothing, places, values], name + ".filled")
    return graph.add("Reshape", [filled, shape], name)


def _add_alternatives(
    body: GraphBuilder, parts: FullParts | AdaptiveParts, rows: tuple[str, str, str, str], *, num_ids: int
) -> tuple[GraphBuilder, list[str]]:
    """Add ranks (B,T), top_ids and top_log_probs (B,T,K)."""
    found, places, shape, num_top = rows
    log_probs = add_log_probs(body, parts)  # (N,V)
    column = body.add("Unsqueeze", [found, body.ints(1)], "rank.own")
    is_above = body.add("Cast", [body.add("Greater", [log_probs, column], "rank.above")], "rank.ones", to=_FLOAT)
    # Whole numbers below 2^24 add up exactly in float32 in any order, and many times faster than as int32.
    above = body.add("ReduceSum", [is_above, body.ints(1)], "rank.count", keepdims=0)
    rank = body.add("Cast", [body.add("Add", [above, body.scalar(1, np.float32)], "rank")], "rank.int", to=_INT32)
    ranks = _scatter(body, rank, places, shape, name="ranks.then", kind=np.int32)
    count = body.add("Min", [num_top, body.ints(num_ids)], "top.count")
    best, best_ids = body.add_many("TopK", [log_probs, count], ["top.values", "top.indices"], axis=1)
    deep_shape = body.add("Concat", [shape, count], "top.shape", axis=0)
    ids = body.add("Cast", [best_ids], "top.ids", to=_INT32)
    return body, [
        ranks,
        _scatter_rows(body, ids, places, deep_shape, name="top_ids.then", kind=np.int32),
        _scatter_rows(body, best, places, deep_shape, name="top_log_probs.then", kind=np.float32),
    ]


_FLOAT, _INT32 = TensorProto.FLOAT, TensorProto.INT32


def _scatter_rows(body: GraphBuilder, values: str, places: str, shape: str, *, name: str, kind: type) -> str:
    """Return the rows (N,K) at their places in an array (B,T,K), zeros elsewhere."""
    nothing = body.add("Expand", [body.scalar(0, kind), shape], name + ".nothing")
    flat_shape = body.add(
        "Concat",
        [body.ints(-1), body.add("Slice", [shape, body.ints(2), body.ints(3)], name + ".k")],
        name + ".s",
        axis=0,
    )
    flat = body.add("Reshape", [nothing, flat_shape], name + ".flat")  # (B*T,K)
    index = body.add("Unsqueeze", [places, body.ints(1)], name + ".index")
    filled = body.add("ScatterND", [flat, index, values], name + ".filled")
    return body.add("Reshape", [filled, shape], name)


def _add_nothing(body: GraphBuilder, shape: str) -> tuple[GraphBuilder, list[str]]:
    """Add no ranks, and no alternatives (B,T,0)."""
    deep = body.add("Concat", [shape, body.ints(0)], "none.shape", axis=0)
    integer, real = body.scalar(0, np.int32), body.scalar(0, np.float32)
    return body, [
        body.add("Expand", [integer, shape], "ranks.otherwise"),
        body.add("Expand", [integer, deep], "top_ids.otherwise"),
        body.add("Expand", [real, deep], "top_log_probs.otherwise"),
    ]
