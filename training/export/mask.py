"""The mask of real tokens in padded rows."""

import numpy as np
from onnx import TensorProto

from seqserve.training.export.builder import GraphBuilder


def add_mask(graph: GraphBuilder, inputs: str, lengths: str, *, name: str) -> str:
    """Map lengths (B,) int32 of the rows of inputs (T,B,…) -> whether each token is real (T,B,1)."""
    num_tokens = graph.add("Squeeze", [graph.add("Shape", [inputs], name + ".shape", end=1)], name + ".num_tokens")
    limits = graph.scalar(0, np.int64), num_tokens, graph.scalar(1, np.int64)
    positions = graph.add("Unsqueeze", [graph.add("Range", limits, name + ".range"), graph.ints(1, 2)], name + ".place")
    column = graph.add("Unsqueeze", [lengths, graph.ints(1)], name + ".lengths")  # (B,1)
    ends = graph.add("Cast", [column], name + ".ends", to=TensorProto.INT64)
    return graph.add("Less", [positions, ends], name + ".is_real")
