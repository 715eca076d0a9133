"""The CRF in the graph: Viterbi path, tag marginals and posteriors of all spans of rows of unequal length.

K tags become S = K + 1 states: the last one is the border, before a row's first token and after its last.
Everything here is time-major, (T,B,·), until the outputs. What runs backward in time runs forward over rows
reversed within their own length (`ReverseSequence`), so no step needs a mask.

Sums of probabilities are float64: where emissions contradict the scheme over some tokens, the states that a row's
beginning and its end agree on are below the range of float32, and 0/0 would follow.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from seqserve.training.export.builder import GraphBuilder, scan
from seqserve.training.export.potentials import FORBIDDEN, Potentials
from seqserve.training.export.spans import add_continuations, add_next_sums, add_span_endings, add_sum

_SMALLEST = -150.0  # nats below a token's best emission; products of four tokens stay inside float64


@dataclass(frozen=True)
class Emissions:
    """Emissions of S states (T,B,S): `scores`, best at 0, float32; their clipped exponentials, float64; lengths."""

    scores: str
    factors: str
    factors_reversed: str
    lengths: str  # (B,) int64
    num_states: int

    def reverse(self, graph: GraphBuilder, values: str, name: str) -> str:
        """Reverse each row's real tokens: (T,B,·) -> (T,B,·)."""
        return graph.add("ReverseSequence", [values, self.lengths], name, time_axis=0, batch_axis=1)


def add_crf(graph: GraphBuilder, potentials: Potentials, emissions: str, lengths: str) -> tuple[str, str, str, str]:
    """Return path (T,B) int64, marginals (T,B,K), span_probs (T,B) and continue_probs (T,B,K).

    Values beyond a row's end are undefined. `emissions`: (T,B,S), the border's column finite and never the largest;
    `lengths`: (B,) int64.
    """
    num_states = len(potentials.between)
    prepared = _prepare(graph, emissions, lengths, num_states, potentials.temperature)
    scores, forward, backward = _add_forward(graph, potentials, prepared)
    path_reversed = _add_backtrace(graph, potentials, prepared, scores)
    path = prepared.reverse(graph, path_reversed, "crf.path")
    # backward is P(tokens after t | y<t>) times the token's own factor, up to a scale for each token
    backward_at_token = graph.add("Mul", [backward, prepared.factors_reversed], "crf.backward_at_token")
    joint = graph.add("Mul", [forward, prepared.reverse(graph, backward_at_token, "crf.backward")], "crf.joint")
    marginals = graph.add("Div", [joint, add_sum(graph, joint, num_states)], "crf.marginals")
    next_sums = add_next_sums(graph, backward_at_token, num_states)
    endings = add_span_endings(graph, potentials, path_reversed, next_sums)
    column = graph.add("Unsqueeze", [path, graph.ints(2)], "crf.path_column")
    at_path = graph.add("GatherElements", [marginals, column], "crf.path_marginals", axis=2)
    at_path = graph.add("Squeeze", [at_path, graph.ints(2)], "crf.path_probs")
    span_probs = graph.add("Mul", [at_path, prepared.reverse(graph, endings, "crf.endings")], "crf.span_probs")
    tags_only = [graph.ints(0), graph.ints(num_states - 1), graph.ints(2)]
    tag_probs = graph.add("Slice", [marginals, *tags_only], "crf.tag_probs")
    continue_probs = prepared.reverse(
        graph, _to_float(graph, add_continuations(graph, potentials, next_sums)), "crf.continue_probs"
    )
    return path, _to_float(graph, tag_probs), _to_float(graph, span_probs), continue_probs


def _to_float(graph: GraphBuilder, values: str) -> str:
    return graph.add("Cast", [values], values + ".float", to=TensorProto.FLOAT)


def _prepare(graph: GraphBuilder, emissions: str, lengths: str, num_states: int, temperature: float) -> Emissions:
    best = graph.add("ReduceMax", [emissions, graph.ints(2)], "crf.best", keepdims=1)
    scores = graph.add("Sub", [emissions, best], "crf.scores")
    # exp(x) as the square of exp(x/2): in float64 the runtime's Exp itself gives other bits in the last elements of an
    # array, and in float32 alone it would underflow. The temperature is in the factors only: the best path needs none.
    halves = graph.add("Mul", [scores, graph.scalar(0.5 / temperature, np.float32)], "crf.halves")
    clipped = graph.add("Max", [halves, graph.scalar(_SMALLEST / 2, np.float32)], "crf.clipped")
    roots = graph.add("Exp", [clipped], "crf.roots_float")
    roots = graph.add("Cast", [roots], "crf.roots", to=TensorProto.DOUBLE)
    factors = graph.add("Mul", [roots, roots], "crf.factors")
    reverse = graph.add("ReverseSequence", [factors, lengths], "crf.factors_reversed", time_axis=0, batch_axis=1)
    return Emissions(scores, factors, reverse, lengths, num_states)


def _add_forward(graph: GraphBuilder, potentials: Potentials, emissions: Emissions) -> tuple[str, str, str]:
    """Add one Scan for three recurrences: Viterbi scores, forward and (over the reversed rows) backward sums.

    Returns Viterbi scores (T,B,S); the forward sums before each token's own factor (T,B,S); the same of the backward
    ones, reversed in time. Sums are scaled at each step, so they carry no meaning between tokens.
    """
    size = emissions.num_states
    both = graph.add("Concat", [emissions.factors, emissions.factors_reversed], "crf.both", axis=2)  # (T,B,2S)
    batch = graph.add("Shape", [both], "crf.batch", start=1, end=2)
    border = np.zeros((1, size))
    border[0, -1] = 1.0
    sums = _repeat(graph, np.concatenate([border, border], axis=1), batch, "crf.sums_start")
    scores = _repeat(graph, np.where(border, 0.0, FORBIDDEN)[:, None].astype(np.float32), batch, "crf.scores_start")
    moves, ones = (graph.weight(name, matrix) for name, matrix in _step_matrices(potentials.factors()).items())
    into = graph.weight("crf.into", potentials.between.T)  # (to, from)

    body = graph.body()
    names = ("sums", "best_scores", "both_factors", "token_scores")
    sums_in, scores_in, factors, token_scores = (body.unique("crf." + name) for name in names)
    moved = body.add("MatMul", [sums_in, moves], "crf.moved")
    totals = body.add("MatMul", [sums_in, ones], "crf.totals")
    scaled = body.add("Div", [moved, totals], "crf.scaled")
    sums_out = body.add("Mul", [scaled, factors], "crf.new_sums")
    reached = body.add("Add", [scores_in, into], "crf.reached")  # (B,1,S) + (S,S) -> (B,to,from)
    best = body.add("ReduceMax", [reached, body.ints(2)], "crf.best_reached", keepdims=0)
    token_best = body.add("Add", [best, token_scores], "crf.token_best")
    scores_out = body.add("Unsqueeze", [token_best, body.ints(1)], "crf.new_scores")
    _, (collected, viterbi) = scan(
        graph,
        body,
        states=[(sums, sums_in, sums_out), (scores, scores_in, scores_out)],
        sequences=[(both, factors), (emissions.scores, token_scores)],
        collected=[(scaled, "crf.all_sums"), (token_best, "crf.all_scores")],
        kinds=dict.fromkeys((sums_in, sums_out, factors, scaled), TensorProto.DOUBLE),
    )
    forward, backward = graph.add_many(
        "Split", [collected], ["crf.forward", "crf.backward_reversed"], axis=2, num_outputs=2
    )
    return viterbi, forward, backward


def _step_matrices(factors: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Add what moves forward sums by `factors`, backward ones by its transpose beside them, and what adds each up.

    The border has the last place in both directions: entering it is left out, so it is empty after the first step.
    """
    size = len(factors)
    moves = np.zeros((2 * size, 2 * size))
    moves[:size, : size - 1] = factors[:, :-1]
    moves[size:, size:-1] = factors.T[:, :-1]
    ones = np.kron(np.eye(2), np.ones((size, size)))
    return {"crf.step": moves, "crf.step_totals": ones}


def _repeat(graph: GraphBuilder, row: NDArray[Any], batch: str, name: str) -> str:
    """Return a row (1,…) repeated for the whole batch (B,…)."""
    shape = graph.add("Concat", [batch, graph.ints(*row.shape[1:])], name + ".shape", axis=0)
    return graph.add("Expand", [graph.weight(name + ".row", row), shape], name)


def _add_backtrace(graph: GraphBuilder, potentials: Potentials, emissions: Emissions, scores: str) -> str:
    """Add Viterbi tags from the last token to the first (T,B) int64; among equals the lowest tag."""
    into = graph.weight("crf.into_tag", potentials.between.T)
    batch = graph.add("Shape", [emissions.lengths], "crf.num_rows")
    last = graph.add("Expand", [graph.scalar(emissions.num_states - 1, np.int64), batch], "crf.after_last")
    body = graph.body()
    tag, token_scores = body.unique("crf.next_tag"), body.unique("crf.reversed_scores")
    ways = body.add("Add", [token_scores, body.add("Gather", [into, tag], "crf.way")], "crf.ways")  # (B,S)
    previous = body.add("ArgMax", [ways], "crf.previous_tag", axis=1, keepdims=0)
    _, (all_ways,) = scan(
        graph,
        body,
        states=[(last, tag, previous)],
        sequences=[(emissions.reverse(graph, scores, "crf.scores_reversed"), token_scores)],
        collected=[(ways, "crf.all_ways")],
        kinds=dict.fromkeys((tag, previous), TensorProto.INT64),
    )
    # A Scan cannot collect the value that it carries; finding the tags a second time is cheaper than copying them.
    return graph.add("ArgMax", [all_ways], "crf.path_reversed", axis=2, keepdims=0)
