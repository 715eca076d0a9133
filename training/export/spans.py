"""Span posteriors in the graph: where a span of the Viterbi path ends, and whether any other span goes on.

Given the sentence, tags are a Markov chain: P(y<t+1> | y<t>) is a factor of transition times the backward sum.
"""

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from seqserve.training.export.builder import GraphBuilder, scan
from seqserve.training.export.potentials import Potentials


def add_next_sums(graph: GraphBuilder, backward: str, size: int) -> str:
    """Add the backward sums of the token after each, the border after the last; both (T,B,S) reversed in time.

    `backward` includes the token's own factor.
    """
    batch = graph.add("Shape", [backward], "crf.rows", start=1, end=2)
    border = np.zeros((1, 1, size))
    border[0, 0, -1] = 1.0
    border_shape = graph.add("Concat", [graph.ints(1), batch, graph.ints(size)], "crf.border_shape", axis=0)
    after_last = graph.add("Expand", [graph.weight("crf.border_row", border), border_shape], "crf.after_last_sums")
    return _shift(graph, after_last, backward, "crf.next_sums")


def add_continuations(graph: GraphBuilder, potentials: Potentials, next_sums: str) -> str:
    """Add P(the next tag is the I tag of the same label | y<t> = k), (T,B,K); 0 for a tag that no I continues.

    With P(y<t> = k) they give the posterior of every span (see `seqserve.tagger.decoding`). Both are reversed in time.
    """
    moves = _moves(potentials)
    both = np.concatenate([(moves * potentials.inside())[:-1], moves[:-1]]).T  # (next, 2K)
    sums = graph.add("MatMul", [next_sums, graph.weight("crf.continuing_moves", both)], "crf.next_by_tag")
    going_on, all_next = graph.add_many("Split", [sums], ["crf.next_inside", "crf.next_any"], axis=2, num_outputs=2)
    return graph.add("Div", [going_on, all_next], "crf.continuations")


def add_span_endings(graph: GraphBuilder, potentials: Potentials, path: str, next_sums: str) -> str:
    """Add the probability, given y<t>, that the path's span at t goes on and ends as the path says, (T,B).

    Over reversed rows: g<t> = P(next tag | y<t>) g<t+1> where the next tag continues the span, otherwise
    1 − Σ over the tags k that would continue it of P(k | y<t>), and 1 at the last token. So
    g<t> = factor<t> g<t+1> + summand<t>, one of the two being 0.
    `path` (T,B) and `next_sums` (T,B,S) are reversed.
    """
    size = len(potentials.between)
    batch = graph.add("Shape", [path], "crf.path_rows", start=1)
    tag_shape = graph.add("Concat", [graph.ints(1), batch], "crf.tag_shape", axis=0)
    tag_after_last = graph.add("Expand", [graph.ints(size - 1), tag_shape], "crf.tag_after_last")
    next_tag = _shift(graph, tag_after_last, path, "crf.next_path")
    next_column = graph.add("Unsqueeze", [next_tag, graph.ints(2)], "crf.next_column")

    following = _add_following(graph, potentials, path, next_sums)  # P(next tag | y<t>), (T,B,S)
    continuing = graph.add(
        "Gather", [graph.weight("crf.continuing", potentials.continuing), path], "crf.continuing_at_path"
    )
    going_on = graph.add("Mul", [following, continuing], "crf.going_on")
    factors = graph.add("GatherElements", [going_on, next_column], "crf.factor_going_on", axis=2)  # (T,B,1)
    next_continues = graph.add("GatherElements", [continuing, next_column], "crf.next_continues", axis=2)
    mass = graph.add("Slice", [add_sum(graph, going_on, size), *_first_column(graph)], "crf.going_on_mass")
    one, zero = graph.scalar(1, np.float64), graph.scalar(0, np.float64)
    stops = graph.add("Max", [graph.add("Sub", [one, mass], "crf.not_going_on"), zero], "crf.stops")
    ends_here = graph.add("Mul", [stops, graph.add("Sub", [one, next_continues], "crf.is_end")], "crf.ends_here")
    endings = _add_recurrence(graph, batch, factors, ends_here)
    return graph.add("Squeeze", [endings, graph.ints(2)], "crf.endings_reversed")


def add_sum(graph: GraphBuilder, values: str, size: int) -> str:
    """Add the sum over the last axis, repeated along it.

    A product with ones: the runtime's ReduceSum adds in an order that depends on where a row lies in memory, and
    then a row's answer would depend on its place in the batch.
    """
    ones = np.ones((size, size))
    return graph.add("MatMul", [values, graph.weight(values + ".ones", ones)], values + ".sum")


def _moves(potentials: Potentials) -> NDArray[np.float64]:
    """Return the factors of transitions (S,S); the border follows every last tag."""
    factors = potentials.factors()
    factors[:, -1] = 1.0
    return factors


def _add_following(graph: GraphBuilder, potentials: Potentials, path: str, next_sums: str) -> str:
    factors = _moves(potentials)
    moves = graph.add("Gather", [graph.weight("crf.moves", factors), path], "crf.moves_at_path")
    joint = graph.add("Mul", [moves, next_sums], "crf.joint_next")
    return graph.add("Div", [joint, add_sum(graph, joint, len(factors))], "crf.following")


def _add_recurrence(graph: GraphBuilder, batch: str, factors: str, summands: str) -> str:
    """Add the recurrence g = factor g + summand from 0, all (T,B,1)."""
    body = graph.body()
    before, factor, summand = (body.unique("crf." + name) for name in ("next_ending", "factor", "summand"))
    carried = body.add("Mul", [before, factor], "crf.carried")
    ending = body.add("Add", [carried, summand], "crf.ending")
    shape = graph.add("Concat", [batch, graph.ints(1)], "crf.ending_shape", axis=0)
    zeros = graph.add("Expand", [graph.scalar(0, np.float64), shape], "crf.no_ending")
    _, (all_carried,) = scan(
        graph,
        body,
        states=[(zeros, before, ending)],
        sequences=[(factors, factor), (summands, summand)],
        collected=[(carried, "crf.all_carried")],
        kinds=dict.fromkeys((before, factor, summand, ending, carried), TensorProto.DOUBLE),
    )
    # A Scan cannot collect the value that it carries; adding a second time is cheaper than copying it at each step.
    return graph.add("Add", [all_carried, summands], "crf.all_endings")


def _first_column(graph: GraphBuilder) -> list[str]:
    return [graph.ints(0), graph.ints(1), graph.ints(2)]


def _shift(graph: GraphBuilder, first: str, values: str, name: str) -> str:
    """Add `values` one step later along axis 0, beginning with `first` (1,…)."""
    joined = graph.add("Concat", [first, values], name + ".joined", axis=0)
    return graph.add("Slice", [joined, graph.ints(0), graph.ints(-1), graph.ints(0)], name)
