"""Inverse of a discrete distribution's CDF in the graph, in float64, in two levels where there are many ids.

A running sum over a whole row is the runtime's slowest operator (6 ms for 32 rows of 40,000; the rest of the draw
takes 1 ms), so it runs over sums of blocks, and then within one block of each row.
"""

import numpy as np
from onnx import TensorProto

from seqserve.training.export.builder import GraphBuilder

BLOCK = 128  # ids; a multiple of every vector register, so that a block's sum is the same bits wherever it lies
ONE_LEVEL = 512  # the largest number of ids that is summed at once
_BELOW_ONE = 1 - 2.0**-24  # the largest float32 below 1
_WITHIN = 1 - 1e-12


def add_inverse_cdf(graph: GraphBuilder, masses: str, uniforms: str, *, num_ids: int) -> str:
    """Map masses (B,V) float32, uniforms (B,) in [0,1) -> ids (B,) int64: the first whose sum exceeds u * total.

    An id without mass is never drawn; where masses are not numbers the id is 0.
    """
    return add_place(graph, masses, add_fraction(graph, uniforms), num_ids=num_ids)[0]


def add_fraction(graph: GraphBuilder, uniforms: str) -> str:
    """Add uniforms (B,) float32 as fractions of a total, (B,1) float64, below 1."""
    uniform = graph.add("Unsqueeze", [uniforms, graph.ints(1)], "cdf.uniforms")
    double = graph.add("Cast", [uniform], "cdf.uniforms.double", to=TensorProto.DOUBLE)
    return graph.add("Min", [double, graph.scalar(_BELOW_ONE, np.float64)], "cdf.fraction")


def add_place(graph: GraphBuilder, masses: str, fraction: str, *, num_ids: int) -> tuple[str, str]:
    """Return the ids (B,) that fractions (B,1) fall on, and how far into its own mass each falls, (B,1) in [0,1)."""
    if num_ids <= ONE_LEVEL:
        return _add_search(graph, masses, fraction, size=num_ids)
    num_blocks = -(-num_ids // BLOCK)
    missing = num_blocks * BLOCK - num_ids
    padded = graph.add("Pad", [masses, graph.ints(0, 0, 0, missing)], "cdf.padded") if missing else masses
    blocks = graph.add("Reshape", [padded, graph.ints(-1, num_blocks, BLOCK)], "cdf.blocks")
    sums = graph.add("ReduceSum", [blocks, graph.ints(2)], "cdf.sums", keepdims=0)  # (B,N)
    block, within = _add_search(graph, sums, fraction, size=num_blocks)
    index = graph.add("Unsqueeze", [block, graph.ints(1)], "cdf.index")
    chosen = graph.add("GatherND", [blocks, index], "cdf.chosen", batch_dims=1)  # (B,128)
    place, within = _add_search(graph, chosen, within, size=BLOCK)
    start = graph.add("Mul", [block, graph.scalar(BLOCK, np.int64)], "cdf.start")
    return graph.add("Add", [start, place], "cdf.id"), within


def _add_search(graph: GraphBuilder, masses: str, fraction: str, *, size: int) -> tuple[str, str]:
    """Return the places (B,) found, and how far into the mass there, (B,1) in [0,1)."""
    double = graph.add("Cast", [masses], "cdf.double", to=TensorProto.DOUBLE)
    running = graph.add("CumSum", [double, graph.scalar(1, np.int64)], "cdf.running")
    total = graph.add("Gather", [running, graph.ints(size - 1)], "cdf.total", axis=1)
    target = graph.add("Mul", [total, fraction], "cdf.target")
    is_below = graph.add("LessOrEqual", [running, target], "cdf.is_below")
    # Whole numbers add up exactly in float32, in any order.
    ones = graph.add("Cast", [is_below], "cdf.ones", to=TensorProto.FLOAT)
    count = graph.add("ReduceSum", [ones, graph.ints(1)], "cdf.count", keepdims=1)
    column = graph.add("Cast", [count], "cdf.column", to=TensorProto.INT64)  # below the size: the fraction is below 1
    own = graph.add("GatherElements", [double, column], "cdf.own", axis=1)
    end = graph.add("GatherElements", [running, column], "cdf.end", axis=1)
    left = graph.add("Div", [graph.add("Sub", [end, target], "cdf.left"), own], "cdf.left.share")  # above 0
    within = graph.add("Sub", [graph.scalar(1, np.float64), left], "cdf.within")
    within = graph.add("Max", [within, graph.scalar(0, np.float64)], "cdf.within.low")
    within = graph.add("Min", [within, graph.scalar(_WITHIN, np.float64)], "cdf.within.high")
    return graph.add("Squeeze", [column, graph.ints(1)], "cdf.place"), within
