"""The graph `decode` of an encoder-decoder: reads one target token and gives the most likely next ones."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from seqserve.training.export.attention import add_attention
from seqserve.training.export.builder import GraphBuilder, value_infos
from seqserve.training.export.cells.table import find_cell
from seqserve.training.export.compact import make_builder
from seqserve.training.export.language_model import add_embedding, join_state, split_state
from seqserve.training.export.softmax import add_full
from seqserve.training.transducers.trained import TrainedTransducer
from seqserve.transducer.signature import decode_signature
from seqserve.vocabulary.tokens import UNKNOWN_ID


def build_decode(
    trained: TrainedTransducer, *, table_dtype: str = "float16"
) -> tuple[onnx.ModelProto, dict[str, NDArray[Any]]]:
    """Return the graph and the tensors of its weights file; raises ValueError when the parts do not fit.

    See seqserve.transducer.signature for inputs and outputs. <UNK> is never among the alternatives; the others keep the
    model's own log-probabilities.
    """
    trained.check()
    graph = make_builder(table_dtype)
    decoder, cell = trained.decoder(), find_cell(trained.cell)
    inputs, outputs = decode_signature(trained.state_size, trained.memory_size)
    names = {tensor.name: graph.unique(tensor.name) for tensor in inputs}
    values = add_embedding(graph, decoder.weights, names["previous_ids"], table_dtype=table_dtype)  # (B,E)
    new_parts = []
    parts_of_layers = split_state(graph, decoder, names["state"])
    for index, (layer, parts) in enumerate(zip(decoder.layers(), parts_of_layers, strict=True)):
        new_parts.append(cell.add_step(graph, layer, values, parts, name=f"layers.{index}"))
        values = new_parts[-1][0]
    join_state(graph, new_parts, "next_state")
    if trained.memory_size:
        weight = graph.weight("attention.query.weight", trained.weights["attention.query.weight"].astype(np.float32))
        query = graph.add("Gemm", [values, weight], "query", transB=1)  # (B,M)
        context = add_attention(graph, query, names["memory"], names["lengths"])
        values = graph.add("Concat", [context, values], "seen", axis=1)
    weight = graph.weight("readout.weight", trained.weights["readout.weight"].astype(np.float32))
    bias = graph.weight("readout.bias", trained.weights["readout.bias"].astype(np.float32))
    readout = graph.add("Tanh", [graph.add("Gemm", [values, weight, bias], "readout.sum", transB=1)], "readout")
    log_probs = add_full(graph, decoder, readout, table_dtype=table_dtype).log_probs  # (B,V)
    _add_top(graph, log_probs, names["num_top"], num_ids=decoder.num_ids)
    return graph.model("decode", value_infos(inputs), value_infos(outputs)), graph.tensors


def _add_top(graph: GraphBuilder, log_probs: str, num_top: str, *, num_ids: int) -> None:
    """Give the outputs `top_ids` and `top_log_probs` (B,K), falling, lower id first; <UNK> is left out."""
    ids = graph.add("Range", [graph.scalar(place, np.int64) for place in (0, num_ids, 1)], "ids")
    is_unknown = graph.add("Equal", [ids, graph.scalar(UNKNOWN_ID, np.int64)], "is_unknown")  # (V,)
    known = graph.add("Where", [is_unknown, graph.scalar(-np.inf, np.float32), log_probs], "known")
    count = graph.add("Min", [num_top, graph.ints(num_ids - 1)], "count")
    _, top = graph.add_many("TopK", [known, count], ["top_log_probs", "top"], axis=1)
    graph.add("Cast", [top], "top_ids", to=TensorProto.INT32)
