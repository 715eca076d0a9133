"""A draw from an adaptive softmax that looks into a cluster of rare ids only when the draw falls there.

Ids of the head come before the clusters', so the inverse CDF over the head's entries, clusters included, says the id or
the cluster; what is left of the uniform then draws within the cluster. That needs the model's own probabilities: rows
with another temperature, a cut, a penalty or a ban of a rare id are drawn from all ids. Which way a row goes depends on
the row alone.
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from onnx import TensorProto

from seqserve.training.export.builder import GraphBuilder, branch
from seqserve.training.export.cuts import Cuts, add_any, add_is_cut
from seqserve.training.export.draw import DrawInputs, add_ban, add_draw
from seqserve.training.export.inverse_cdf import add_fraction, add_place
from seqserve.training.export.language_model import TrainedLanguageModel
from seqserve.training.export.softmax import AdaptiveParts, add_head, add_log_probs, add_tail, gather_columns

_KINDS = [TensorProto.INT64, TensorProto.FLOAT, TensorProto.BOOL]
Result = tuple[str, str, str]
"""ids (B,) int64, their log P (B,), whether nothing is left (B,) bool."""


def add_adaptive_draw(
    graph: GraphBuilder, trained: TrainedLanguageModel, hidden: str, inputs: DrawInputs, *, table_dtype: str
) -> Result:
    """Map hidden (B,P) -> a draw for every row."""
    cutoff = trained.cutoffs[0]
    width = cutoff + len(trained.cutoffs)
    head = add_head(graph, trained, hidden, table_dtype=table_dtype)
    is_plain = _add_is_plain(graph, inputs, cutoff=cutoff)
    masses = graph.add("Softmax", [add_ban(graph, head, inputs.banned_ids, highest=width - 1)], "head.masses", axis=-1)
    place, within = add_place(graph, masses, add_fraction(graph, inputs.uniforms), num_ids=width)
    never = graph.add("Less", [place, graph.scalar(0, np.int64)], "empty.none")
    result = place, gather_columns(graph, head, place, "head.drawn"), never
    borders = [*trained.cutoffs, trained.num_ids]
    for index, (low, high) in enumerate(pairwise(borders)):
        is_there = graph.add("Equal", [place, graph.scalar(cutoff + index, np.int64)], "cluster.is_there")
        chosen = graph.add("And", [is_there, is_plain], "cluster.chosen")
        then = graph.body()
        rows = _add_rows(then, chosen)
        tail = add_tail(
            then, trained, index, then.add("Gather", [hidden, rows], "cluster.hidden"), table_dtype=table_dtype
        )
        fraction = then.add("Gather", [within, rows], "cluster.fraction")
        inside, _ = add_place(then, then.add("Exp", [tail], "cluster.masses"), fraction, num_ids=high - low)
        cluster = then.add("Gather", [result[1], rows], "cluster.log_prob")
        own = then.add("Add", [gather_columns(then, tail, inside, "cluster.own"), cluster], "cluster.total")
        ids = then.add("Add", [inside, then.scalar(low, np.int64)], "cluster.ids")
        nothing = then.add("Gather", [never, rows], "cluster.empty")
        result = _merge(graph, chosen, then, result, (rows, (ids, own, nothing)))
    is_general = graph.add("Not", [is_plain], "general.chosen")
    then = graph.body()
    rows = _add_rows(then, is_general)
    drawn = _add_general(then, trained, (hidden, head, rows), inputs, table_dtype=table_dtype)
    return _merge(graph, is_general, then, result, (rows, drawn))


def _add_is_plain(graph: GraphBuilder, inputs: DrawInputs, *, cutoff: int) -> str:
    """Add whether a row is drawn from the model's own probabilities but for banned ids of the head, (B,) bool."""
    one = graph.scalar(1, np.float32)
    highest = graph.add("ReduceMax", [inputs.banned_ids, graph.ints(1)], "plain.highest", keepdims=0)
    conditions = [
        graph.add("Equal", [inputs.temperatures, one], "plain.temperature"),
        graph.add("Equal", [inputs.repetition_penalties, one], "plain.penalty"),
        graph.add("Less", [highest, graph.scalar(cutoff, np.int32)], "plain.bans"),
    ]
    is_plain = graph.add("Not", [add_is_cut(graph, inputs.cuts)], "plain.cuts")
    for condition in conditions:
        is_plain = graph.add("And", [is_plain, condition], "plain")
    return is_plain


def _add_rows(graph: GraphBuilder, chosen: str) -> str:
    return graph.add("Squeeze", [graph.add("NonZero", [chosen], "chosen.places"), graph.ints(0)], "chosen.rows")


def _add_general(
    graph: GraphBuilder,
    trained: TrainedLanguageModel,
    rows: tuple[str, str, str],
    inputs: DrawInputs,
    *,
    table_dtype: str,
) -> Result:
    """Draw the chosen rows from all ids."""
    hidden, head, chosen = rows

    def own(name: str) -> str:
        return graph.add("Gather", [name, chosen], "general." + name)

    own_hidden = own(hidden)
    tails = [
        add_tail(graph, trained, index, own_hidden, table_dtype=table_dtype) for index in range(len(trained.cutoffs))
    ]
    log_probs = add_log_probs(graph, AdaptiveParts(own(head), tails, trained.cutoffs[0]))
    cuts = Cuts(own(inputs.cuts.top_ks), own(inputs.cuts.top_ps), own(inputs.cuts.min_ps))
    own_inputs = replace(
        inputs,
        uniforms=own(inputs.uniforms),
        temperatures=own(inputs.temperatures),
        repetition_penalties=own(inputs.repetition_penalties),
        banned_ids=own(inputs.banned_ids),
        repeated_ids=own(inputs.repeated_ids),
        cuts=cuts,
    )
    drawn, is_empty = add_draw(graph, log_probs, own_inputs, num_ids=trained.num_ids)
    return drawn, gather_columns(graph, log_probs, drawn, "general.own"), is_empty


def _merge(graph: GraphBuilder, chosen: str, then: GraphBuilder, before: Result, changed: tuple[str, Result]) -> Result:
    """Put the results of the chosen rows, if there are any, in the place of those before."""
    rows, results = changed
    new = [
        then.add("ScatterElements", [old, rows, result], "merged.then")
        for old, result in zip(before, results, strict=True)
    ]
    otherwise = graph.body()
    same = [otherwise.add("Identity", [old], "merged.otherwise") for old in before]
    ids, log_probs, is_empty = branch(
        graph,
        add_any(graph, chosen, "chosen.any"),
        then=(then, new),
        otherwise=(otherwise, same),
        names=["drawn.ids", "drawn.log_probs", "drawn.is_empty"],
        kinds=_KINDS,
    )
    return ids, log_probs, is_empty
