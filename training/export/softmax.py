"""The softmax over the vocabulary in both graphs: full (tied or not) and adaptive.

Every product is a Gemm over prepacked weights and every normalisation a LogSoftmax by row, so a row's numbers are the
same bits in every batch and in both graphs.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from seqserve.training.export.builder import GraphBuilder
from seqserve.training.export.features import to_float16
from seqserve.training.export.language_model import TrainedLanguageModel


@dataclass(frozen=True)
class FullParts:
    """logits and log_probs (N,V)."""

    logits: str
    log_probs: str


@dataclass(frozen=True)
class AdaptiveParts:
    """head (N,cutoff+C): log P of frequent ids and of each cluster; tails (N,size): log P within each cluster."""

    head: str
    tails: Sequence[str]
    cutoff: int


def add_log_probs(graph: GraphBuilder, parts: FullParts | AdaptiveParts) -> str:
    """Add log P of every id (N,V)."""
    if isinstance(parts, FullParts):
        return parts.log_probs
    num_clusters = len(parts.tails)
    sizes = graph.ints(parts.cutoff, *[1] * num_clusters)
    names = ["all.frequent", *["all.cluster"] * num_clusters]
    frequent, *clusters = graph.add_many("Split", [parts.head, sizes], names, axis=1)
    # Tail first, as in add_target_log_probs: the sum of two floats does not depend on it, but one form is enough.
    rare = [graph.add("Add", [tail, cluster], "all.rare") for tail, cluster in zip(parts.tails, clusters, strict=True)]
    return graph.add("Concat", [frequent, *rare], "all.log_probs", axis=1)


def add_target_log_probs(
    graph: GraphBuilder, trained: TrainedLanguageModel, rows: tuple[str, str, str], *, table_dtype: str
) -> tuple[str, FullParts | AdaptiveParts]:
    """Map hidden (N,P), targets (N,) int64, wants_all () bool -> log P of the targets (N,), and the parts.

    The tails of an adaptive softmax hold all N rows when `wants_all` is true; otherwise only those whose target
    lies there, so the parts are of no use then.
    """
    hidden, targets, wants_all = rows
    if trained.softmax == "full":
        full = add_full(graph, trained, hidden, table_dtype=table_dtype)
        return gather_columns(graph, full.log_probs, targets, "target"), full
    cutoff = trained.cutoffs[0]
    head = add_head(graph, trained, hidden, table_dtype=table_dtype)
    column = graph.add("Min", [targets, graph.scalar(cutoff - 1, np.int64)], "target.column")
    found, tails = gather_columns(graph, head, column, "target.head"), []
    borders = [*trained.cutoffs, trained.num_ids]
    for index, (low, high) in enumerate(itertools.pairwise(borders)):
        first, end = graph.scalar(low, np.int64), graph.scalar(high, np.int64)
        inside = graph.add(
            "And",
            [graph.add("GreaterOrEqual", [targets, first], "tail.from"), graph.add("Less", [targets, end], "tail.to")],
            "tail.inside",
        )
        chosen = graph.add("NonZero", [graph.add("Or", [inside, wants_all], "tail.chosen")], "tail.places")
        places = graph.add("Squeeze", [chosen, graph.ints(0)], "tail.rows")  # (n,)
        own_hidden = graph.add("Gather", [hidden, places], "tail.hidden")
        tail = add_tail(graph, trained, index, own_hidden, table_dtype=table_dtype)
        tails.append(tail)
        own = graph.add("Sub", [graph.add("Gather", [targets, places], "tail.targets"), first], "tail.own")
        last = graph.scalar(high - low - 1, np.int64)
        column = graph.add(
            "Min", [graph.add("Max", [own, graph.scalar(0, np.int64)], "tail.own_low"), last], "tail.column"
        )
        cluster = graph.add("Gather", [head, graph.scalar(cutoff + index, np.int64)], "tail.cluster_all", axis=1)
        total = graph.add(
            "Add",
            [
                gather_columns(graph, tail, column, "tail.target"),
                graph.add("Gather", [cluster, places], "tail.cluster"),
            ],
            "tail.total",
        )
        # With all rows wanted, those whose target lies elsewhere are here too, and keep what they have.
        before = graph.add("Gather", [found, places], "tail.before")
        is_own = graph.add("Gather", [inside, places], "tail.is_own")
        kept = graph.add("Where", [is_own, total, before], "tail.kept")
        found = graph.add("ScatterElements", [found, places, kept], "target.found")
    return found, AdaptiveParts(head, tails, cutoff)


def gather_columns(graph: GraphBuilder, table: str, columns: str, name: str) -> str:
    """Add entry columns[n] of row n of a table (N,·) -> (N,)."""
    wide = graph.add("Unsqueeze", [columns, graph.ints(1)], name + ".column")
    found = graph.add("GatherElements", [table, wide], name + ".wide", axis=1)
    return graph.add("Squeeze", [found, graph.ints(1)], name)


def add_full(graph: GraphBuilder, trained: TrainedLanguageModel, hidden: str, *, table_dtype: str) -> FullParts:
    """Add logits and log-probabilities of all ids for every row of hidden (N,P)."""
    key = "embedding.weight" if trained.tied else "softmax.weight"
    weight = _add_table(graph, trained, key, table_dtype=table_dtype)
    bias = graph.weight("softmax.bias", trained.weights["softmax.bias"].astype(np.float32))
    logits = graph.add("Gemm", [hidden, weight, bias], "logits", transB=1)
    return FullParts(logits, graph.add("LogSoftmax", [logits], "log_softmax", axis=-1))


def add_head(graph: GraphBuilder, trained: TrainedLanguageModel, hidden: str, *, table_dtype: str) -> str:
    """Add log P (N,cutoff+C) of the frequent ids and of each cluster."""
    weight = _add_table(graph, trained, "softmax.head.weight", table_dtype=table_dtype)
    logits = graph.add("Gemm", [hidden, weight], "head.logits", transB=1)
    return graph.add("LogSoftmax", [logits], "head", axis=-1)


def add_tail(graph: GraphBuilder, trained: TrainedLanguageModel, index: int, hidden: str, *, table_dtype: str) -> str:
    """Add log P (N,size) within cluster `index`; N may be 0."""
    values = hidden
    for number in (0, 1):
        weight = _add_table(graph, trained, f"softmax.tail.{index}.{number}.weight", table_dtype=table_dtype)
        values = graph.add("Gemm", [values, weight], f"tail.{index}.{number}", transB=1)
    return graph.add("LogSoftmax", [values], f"tail.{index}", axis=-1)


def _add_table(graph: GraphBuilder, trained: TrainedLanguageModel, name: str, *, table_dtype: str) -> str:
    """Add a table as float32; the same tensor as the embedding's when it is tied.

    The runtime converts a float16 table when it loads: that costs four bytes a number in each session, as does the
    packing of a float32 one, whose mapping is given up for it.
    """
    table = trained.weights[name]
    half = table_dtype == "float16"
    if name in graph.tensors:
        stored = name
    else:
        stored = graph.weight(name, to_float16(name, table) if half else table.astype(np.float32))
    return graph.add("Cast", [stored], name + ".float", to=TensorProto.FLOAT) if half else stored
