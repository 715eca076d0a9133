"""The graph `decode` of an encoder-decoder: reads one target token and gives the most likely next ones."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from seqserve.training.export.attention import add_attention
from seqserve.training.export.builder import GraphBuilder, value_infos
from seqserve.training.export.compact import make_builder
from seqserve.training.export.language_model import add_embedding, add_steps
from seqserve.training.export.softmax import add_full
from seqserve.training.export.weights import add_linear
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
    decoder = trained.decoder()
    inputs, outputs = decode_signature(trained.state_size, trained.memory_size)
    names = {tensor.name: graph.unique(tensor.name) for tensor in inputs}
    values = add_embedding(graph, decoder.weights, names["previous_ids"], table_dtype=table_dtype)  # (B,E)
    values = add_steps(graph, decoder, values, names["state"])
    if trained.memory_size:
        weight = graph.weight("attention.query.weight", trained.weights["attention.query.weight"].astype(np.float32))
        query = graph.add("Gemm", [values, weight], "query", transB=1)  # (B,M)
        context = add_attention(graph, query, names["memory"], names["lengths"])
        values = graph.add("Concat", [context, values], "seen", axis=1)
    total = add_linear(graph, trained.weights, "readout", values, name="readout.sum")
    readout = graph.add("Tanh", [total], "readout")
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
