"""The graph `encode` of an encoder-decoder: source ids -> the decoder's first state, and the memory."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from seqserve.training.export.builder import value_infos
from seqserve.training.export.compact import make_builder
from seqserve.training.export.encoder import add_encoder
from seqserve.training.export.features import add_lookup
from seqserve.training.export.mask import add_mask
from seqserve.training.export.weights import add_linear
from seqserve.training.transducers.trained import TrainedTransducer
from seqserve.transducer.signature import encode_signature


def build_encode(
    trained: TrainedTransducer, *, table_dtype: str = "float16"
) -> tuple[onnx.ModelProto, dict[str, NDArray[Any]]]:
    """Return the graph and the tensors of its weights file; raises ValueError when the parts do not fit.

    See seqserve.transducer.signature for inputs and outputs. Memory is 0 beyond a row's end.
    """
    trained.check()
    graph = make_builder(table_dtype)
    inputs, outputs = encode_signature(trained.state_size, trained.memory_size)
    source, lengths = (graph.unique(tensor.name) for tensor in inputs)
    by_token = graph.add("Transpose", [source], "ids", perm=[1, 0])  # (S,B)
    table = trained.weights["source_embedding.weight"]
    features = add_lookup(graph, "source_embedding.weight", table, by_token, table_dtype=table_dtype)  # (S,B,E)
    states, ends = add_encoder(graph, trained.weights, features, lengths, cell=trained.cell)  # (S,B,M), each (B,H)
    ended = ends[0] if len(ends) == 1 else graph.add("Concat", ends, "ended", axis=1)
    first = add_linear(graph, trained.weights, "first_state", ended, name="first_state")
    graph.add("Tanh", [first], "state")  # (B,N)
    if trained.memory_size:
        is_real = add_mask(graph, states, lengths, name="memory")
        masked = graph.add("Where", [is_real, states, graph.scalar(0, np.float32)], "memory.by_token")
        graph.add("Transpose", [masked], "memory", perm=[1, 0, 2])
    return graph.model("encode", value_infos(inputs), value_infos(outputs)), graph.tensors
