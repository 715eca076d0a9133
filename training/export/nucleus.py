"""The border of top-p in the graph (Holtzman et al. 2020), found by halving before anything is sorted.

Sorting is slow in the runtime: 25 ms for 32 rows of 10,000 ids, where a sum over them takes 0.1 ms. So a few halvings,
in the logarithm, close in on the border, and only ids between the last two numbers are sorted.
"""

import numpy as np
from onnx import TensorProto, helper

from seqserve.training.export.builder import GraphBuilder
from seqserve.training.export.inverse_cdf import BLOCK, ONE_LEVEL

_HALVINGS = 10  # leave some tens of ids between two numbers, of 40,000
_SMALLEST = 1e-30
_ROUNDING = 1e-6
_FLOAT, _INT64, _DOUBLE = TensorProto.FLOAT, TensorProto.INT64, TensorProto.DOUBLE


def add_least_of_nucleus(graph: GraphBuilder, masses: str, rows: tuple[str, str, str], *, num_ids: int) -> str:
    """Map masses (n,V) and (best, least, top_p), (n,1) each -> mass (n,1) of the least probable id that stays.

    Only ids that reach `least` count. An id stays while those strictly more probable hold less than top_p of them.
    """
    best, least, top_p = rows
    counted = add_reaching(graph, masses, least, name="nucleus.counted")
    blocks, num_blocks = _add_blocks(graph, counted, num_ids=num_ids)
    total = _add_sum(graph, blocks, num_blocks)
    share = graph.add("Cast", [top_p], "nucleus.share", to=_DOUBLE)
    limit = graph.add("Mul", [total, share], "nucleus.limit")
    upper, lower = _add_bracket(graph, (blocks, best, total, limit), num_blocks, num_ids=num_ids)
    below = graph.add("Cast", [graph.add("Less", [counted, upper], "nucleus.is_below")], "nucleus.below", to=_FLOAT)
    below_upper = graph.add("Mul", [counted, below], "nucleus.rest")
    held = graph.add(
        "Sub", [total, _add_sum(graph, _add_blocks(graph, below_upper, num_ids=num_ids)[0], num_blocks)], "nucleus.held"
    )
    reaches = graph.add(
        "Cast", [graph.add("GreaterOrEqual", [below_upper, lower], "nucleus.between")], "nucleus.ones", to=_FLOAT
    )
    count = graph.add("ReduceSum", [reaches, graph.ints(1)], "nucleus.count", keepdims=1)
    most = graph.add(
        "Cast", [graph.add("ReduceMax", [count], "nucleus.most.float", keepdims=0)], "nucleus.most", to=_INT64
    )
    columns = graph.add(
        "Max", [graph.add("Reshape", [most, graph.ints(1)], "nucleus.k"), graph.ints(1)], "nucleus.columns"
    )
    ranked, _ = graph.add_many("TopK", [below_upper, columns], ["nucleus.ranked", "nucleus.ids"], axis=1)  # (n,K)
    double = graph.add("Cast", [ranked], "nucleus.double", to=_DOUBLE)
    running = graph.add("CumSum", [double, graph.scalar(1, np.int64)], "nucleus.running")
    room = graph.add("Sub", [limit, held], "nucleus.room")
    inside = graph.add("Cast", [graph.add("Less", [running, room], "nucleus.inside")], "nucleus.inside.ones", to=_FLOAT)
    num_inside = graph.add("ReduceSum", [inside, graph.ints(1)], "nucleus.num_inside", keepdims=1)
    # The first id whose running sum reaches the limit is the last that stays.
    place = graph.add("Cast", [num_inside], "nucleus.place", to=_INT64)
    last = graph.add("Sub", [columns, graph.ints(1)], "nucleus.last")
    border = graph.add(
        "GatherElements", [ranked, graph.add("Min", [place, last], "nucleus.at")], "nucleus.found", axis=1
    )
    # With rounding it may lie further down, where other rows decide how many columns there are.
    return graph.add("Max", [border, lower], "nucleus.border")


def add_reaching(graph: GraphBuilder, masses: str, least: str, *, name: str) -> str:
    """Add masses (n,V) with those below `least` (n,1) at 0; the runtime's Where takes three times as long."""
    reaches = graph.add("GreaterOrEqual", [masses, least], name + ".is")
    return graph.add("Mul", [masses, graph.add("Cast", [reaches], name + ".ones", to=_FLOAT)], name)


def _add_blocks(graph: GraphBuilder, masses: str, *, num_ids: int) -> tuple[str, int]:
    """Add masses (n,V) as blocks (n,N,128), zeros at the end, and N."""
    num_blocks = -(-num_ids // BLOCK)
    missing = num_blocks * BLOCK - num_ids
    padded = graph.add("Pad", [masses, graph.ints(0, 0, 0, missing)], "nucleus.padded") if missing else masses
    return graph.add("Reshape", [padded, graph.ints(-1, num_blocks, BLOCK)], "nucleus.blocks"), num_blocks


def _add_sum(graph: GraphBuilder, blocks: str, num_blocks: int) -> str:
    """Add the sum (n,1) float64 of blocks (n,N,128), one after the other: the same bits for a row in every batch."""
    sums = graph.add("ReduceSum", [blocks, graph.ints(2)], "nucleus.sums", keepdims=0)
    double = graph.add("Cast", [sums], "nucleus.sums.double", to=_DOUBLE)
    running = graph.add("CumSum", [double, graph.scalar(1, np.int64)], "nucleus.sums.running")
    return graph.add("Gather", [running, graph.ints(num_blocks - 1)], "nucleus.sum", axis=1)


def _add_bracket(
    graph: GraphBuilder, rows: tuple[str, str, str, str], num_blocks: int, *, num_ids: int
) -> tuple[str, str]:
    """Return two numbers (n,1): ids that reach the first hold less than the limit, those that reach the second not."""
    blocks, best, total, limit = rows
    upper = graph.add("Mul", [best, graph.scalar(2, np.float32)], "nucleus.upper.first")
    # All ids below it hold together less than half of what lies beyond the limit.
    beyond = graph.add("Sub", [total, limit], "nucleus.beyond")
    floor = graph.add("Mul", [beyond, graph.scalar(0.5 / num_ids, np.float64)], "nucleus.floor")
    bounded = graph.add("Max", [floor, graph.scalar(_SMALLEST, np.float64)], "nucleus.bounded")
    lower = graph.add("Cast", [bounded], "nucleus.lower.first", to=_FLOAT)
    if num_ids <= ONE_LEVEL:
        return upper, lower
    body = graph.body()
    number, goes_on, high, low = (body.unique(f"nucleus.{name}") for name in ("number", "goes_on", "high", "low"))
    roots = [body.add("Sqrt", [side], "nucleus.root") for side in (high, low)]  # the product could underflow
    middle = body.add("Mul", roots, "nucleus.middle")
    deep = body.add("Unsqueeze", [body.add("Reciprocal", [middle], "nucleus.inverse"), body.ints(2)], "nucleus.factor")
    # Masses in units of the middle, those of one or less at 0: the fastest way to leave some out of a sum.
    reached = body.add(
        "ThresholdedRelu", [body.add("Mul", [blocks, deep], "nucleus.units")], "nucleus.reached", alpha=1.0
    )
    unit = body.add("Cast", [middle], "nucleus.unit", to=_DOUBLE)
    reached_sum = body.add("Mul", [_add_sum(body, reached, num_blocks), unit], "nucleus.reached_sum")
    is_less = body.add("Less", [reached_sum, limit], "nucleus.is_less")
    new_high = body.add("Where", [is_less, middle, high], "nucleus.new_high")
    new_low = body.add("Where", [is_less, low, middle], "nucleus.new_low")
    still = body.add("Identity", [goes_on], "nucleus.still")
    value = helper.make_tensor_value_info
    nested = helper.make_graph(
        body.nodes,
        "halving",
        [
            value(number, _INT64, []),
            value(goes_on, TensorProto.BOOL, []),
            value(high, _FLOAT, None),
            value(low, _FLOAT, None),
        ],
        [value(still, TensorProto.BOOL, []), value(new_high, _FLOAT, None), value(new_low, _FLOAT, None)],
    )
    bracket = graph.add_many(
        "Loop",
        [graph.scalar(_HALVINGS, np.int64), "", upper, lower],
        ["nucleus.upper", "nucleus.lower"],
        body=nested,
    )
    # A mass within rounding of a number may have been counted on either side of it.
    upper = graph.add("Mul", [bracket[0], graph.scalar(1 + _ROUNDING, np.float32)], "nucleus.upper.wide")
    return upper, graph.add("Mul", [bracket[1], graph.scalar(1 - _ROUNDING, np.float32)], "nucleus.lower.wide")
