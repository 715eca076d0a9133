"""One draw a row in the step graph: penalties, bans, temperature, cuts, inverse CDF (see docs/design.md).

Every row goes through the same operations with its own numbers, independently of its neighbours.
"""

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from seqserve.training.export.builder import GraphBuilder, branch
from seqserve.training.export.cuts import Cuts, add_any, add_cut, add_is_cut
from seqserve.training.export.inverse_cdf import add_inverse_cdf

# A power of two: scaling by it rounds nothing. Even neighbouring floats stay apart, and all but the best underflow.
_GREEDY_SCALE = np.float32(2.0**100)
_LARGEST_SCALE = _GREEDY_SCALE  # of temperatures so low that they are greedy


@dataclass(frozen=True)
class DrawInputs:
    """Names of the step graph's inputs, (B,) each, but banned_ids (B,M) and repeated_ids (B,R)."""

    uniforms: str
    temperatures: str
    repetition_penalties: str
    banned_ids: str
    repeated_ids: str
    cuts: Cuts


def add_draw(graph: GraphBuilder, scores: str, inputs: DrawInputs, *, num_ids: int) -> tuple[str, str]:
    """Map scores (B,V) -> ids (B,) int64, some id where nothing is left, and whether nothing is left (B,) bool.

    Scores are logits or log-probabilities; greedy rows get the best id, the lowest of equals.
    """
    adjusted = _add_penalties(graph, scores, inputs, num_ids=num_ids)
    zero = graph.scalar(0, np.float32)
    is_greedy = graph.add("LessOrEqual", [inputs.temperatures, zero], "is_greedy")
    inverse = graph.add("Div", [graph.scalar(1, np.float32), inputs.temperatures], "temperatures.inverse")
    bounded = graph.add("Min", [inverse, graph.scalar(float(_LARGEST_SCALE), np.float32)], "temperatures.bounded")
    greedy_scale = graph.scalar(float(_GREEDY_SCALE), np.float32)
    scale = graph.add("Where", [is_greedy, greedy_scale, bounded], "scales")
    # Only the best have any mass then, and the first of them is found at 0.
    uniforms = graph.add("Where", [is_greedy, zero, inputs.uniforms], "uniforms.used")
    column = graph.add("Unsqueeze", [scale, graph.ints(1)], "scales.column")
    scaled = graph.add("Mul", [adjusted, column], "scaled")
    masses = graph.add("Softmax", [scaled], "masses", axis=-1)  # not a number where everything is banned
    is_cut = add_is_cut(graph, inputs.cuts)  # (B,)
    any_cut = add_any(graph, is_cut, "any_cut")
    then = graph.body()
    cut_masses = add_cut(then, masses, inputs.cuts, is_cut, num_ids=num_ids)
    drawn_then = add_inverse_cdf(then, cut_masses, uniforms, num_ids=num_ids)
    otherwise = graph.body()
    drawn_otherwise = add_inverse_cdf(otherwise, masses, uniforms, num_ids=num_ids)
    (drawn,) = branch(
        graph,
        any_cut,
        then=(then, [drawn_then]),
        otherwise=(otherwise, [drawn_otherwise]),
        names=["drawn"],
        kinds=[TensorProto.INT64],
    )
    first = graph.add("Gather", [masses, graph.scalar(0, np.int64)], "masses.first", axis=1)  # (B,)
    return drawn, graph.add("IsNaN", [first], "is_empty")


def _add_penalties(graph: GraphBuilder, scores: str, inputs: DrawInputs, *, num_ids: int) -> str:
    """Add scores with repeated ids weakened (Keskar et al. 2019, CTRL) and banned ids at minus infinity.

    Both are sums at given places: 0 at the padding's, and what is banned and repeated is banned.
    """
    nothing, zero = graph.scalar(0, np.int32), graph.scalar(0, np.float32)
    repeated = graph.add("Max", [inputs.repeated_ids, nothing], "repeated.places")
    before = graph.add("GatherElements", [scores, repeated], "repeated.before", axis=1)  # (B,R)
    penalty = graph.add("Unsqueeze", [inputs.repetition_penalties, graph.ints(1)], "penalty")
    lower = graph.add("Div", [before, penalty], "repeated.divided")
    higher = graph.add("Mul", [before, penalty], "repeated.multiplied")
    is_positive = graph.add("Greater", [before, zero], "repeated.positive")
    after = graph.add("Where", [is_positive, lower, higher], "repeated.after")
    change = graph.add("Sub", [after, before], "repeated.change")
    is_padding = graph.add("Less", [inputs.repeated_ids, nothing], "repeated.padding")
    change = graph.add("Where", [is_padding, zero, change], "repeated.sum")
    banned, ban = _add_ban_changes(graph, inputs.banned_ids, highest=num_ids - 1)
    places = graph.add("Concat", [repeated, banned], "adjusted.places", axis=1)
    changes = graph.add("Concat", [change, ban], "adjusted.changes", axis=1)
    return graph.add("ScatterElements", [scores, places, changes], "adjusted", axis=1, reduction="add")


def add_ban(graph: GraphBuilder, scores: str, banned_ids: str, *, highest: int) -> str:
    """Add scores (B,·) with banned ids (B,M) at minus infinity; ids above `highest` count as that one."""
    places, changes = _add_ban_changes(graph, banned_ids, highest=highest)
    return graph.add("ScatterElements", [scores, places, changes], "allowed", axis=1, reduction="add")


def _add_ban_changes(graph: GraphBuilder, banned_ids: str, *, highest: int) -> tuple[str, str]:
    nothing = graph.scalar(0, np.int32)
    places = graph.add("Clip", [banned_ids, nothing, graph.scalar(highest, np.int32)], "banned.places")
    is_padding = graph.add("Less", [banned_ids, nothing], "banned.padding")
    never = graph.scalar(-np.inf, np.float32)
    return places, graph.add("Where", [is_padding, graph.scalar(0, np.float32), never], "banned.changes")
