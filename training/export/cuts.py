"""Top-k, top-p and min-p in the step graph: the smallest mass that an id must have, for every row that asks for one.

Each of the three keeps the ids whose mass reaches a number that depends on the row alone; ties at the border stay.
"""

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from seqserve.training.export.builder import GraphBuilder, branch
from seqserve.training.export.nucleus import add_least_of_nucleus, add_reaching

_FLOAT = TensorProto.FLOAT


@dataclass(frozen=True)
class Cuts:
    """Names of the step graph's inputs, (B,) each: 0, 1 and 0 are off."""

    top_ks: str
    top_ps: str
    min_ps: str


def add_is_cut(graph: GraphBuilder, cuts: Cuts) -> str:
    """Add whether a row asks for any cut, (B,) bool."""
    by_count = graph.add("Greater", [cuts.top_ks, graph.scalar(0, np.int32)], "cut.by_count")
    by_mass = graph.add("Less", [cuts.top_ps, graph.scalar(1, np.float32)], "cut.by_mass")
    by_best = graph.add("Greater", [cuts.min_ps, graph.scalar(0, np.float32)], "cut.by_best")
    return graph.add("Or", [graph.add("Or", [by_count, by_mass], "cut.by_two"), by_best], "cut.is_cut")


def add_any(graph: GraphBuilder, flags: str, name: str) -> str:
    """Add whether one of the flags is true, () bool."""
    numbers = graph.add("Cast", [flags], name + ".numbers", to=TensorProto.INT32)
    most = graph.add("ReduceMax", [numbers], name + ".most", keepdims=0)
    return graph.add("Cast", [most], name, to=TensorProto.BOOL)


def add_cut(graph: GraphBuilder, masses: str, cuts: Cuts, is_cut: str, *, num_ids: int) -> str:
    """Map masses (B,V) that sum to 1 -> the same with what is cut at 0; rows that ask for nothing keep their bits."""
    rows = graph.add("Squeeze", [graph.add("NonZero", [is_cut], "cut.places"), graph.ints(0)], "cut.rows")  # (n,)
    own = graph.add("Gather", [masses, rows], "cut.masses")  # (n,V)
    top_k, top_p, min_p = (
        graph.add("Unsqueeze", [graph.add("Gather", [name, rows], label + ".row"), graph.ints(1)], label)
        for name, label in ((cuts.top_ks, "cut.top_k"), (cuts.top_ps, "cut.top_p"), (cuts.min_ps, "cut.min_p"))
    )
    best = graph.add("ReduceMax", [own, graph.ints(1)], "cut.best", keepdims=1)  # (n,1)
    by_best = graph.add("Mul", [min_p, best], "cut.least.best")
    by_count = _add_least_by_count(graph, own, top_k, num_ids=num_ids)
    by_mass = _add_least_by_mass(graph, (own, best, by_count), top_p, num_ids=num_ids)
    least = graph.add("Max", [by_best, by_count, by_mass], "cut.least")
    kept = add_reaching(graph, own, least, name="cut.kept")
    index = graph.add("Unsqueeze", [rows, graph.ints(1)], "cut.index")
    return graph.add("ScatterND", [masses, index, kept], "cut")


def _zero(graph: GraphBuilder) -> str:
    return graph.scalar(0, np.float32)


def _add_least_by_count(graph: GraphBuilder, masses: str, top_k: str, *, num_ids: int) -> str:
    """Add the mass of the k-th best id (n,1), 0 where top-k is off; rows are sorted as far as the largest k."""
    is_on = graph.add("Greater", [top_k, graph.scalar(0, np.int32)], "top_k.is_on")
    then = graph.body()
    limited = then.add("Min", [top_k, then.scalar(num_ids, np.int32)], "top_k.limited")
    places = then.add("Cast", [limited], "top_k.places", to=TensorProto.INT64)
    most = then.add("ReduceMax", [places], "top_k.most", keepdims=0)
    ranked, _ = then.add_many(
        "TopK", [masses, then.add("Reshape", [most, then.ints(1)], "top_k.k")], ["top_k.ranked", "top_k.ids"]
    )
    one = then.scalar(1, np.int64)
    last = then.add("Sub", [then.add("Max", [places, one], "top_k.at_least"), one], "top_k.last")
    kth = then.add("GatherElements", [ranked, last], "top_k.kth", axis=1)
    found = then.add("Where", [is_on, kth, _zero(then)], "top_k.found")
    otherwise = graph.body()
    nothing = otherwise.add(
        "Mul", [otherwise.add("Cast", [top_k], "top_k.float", to=_FLOAT), _zero(otherwise)], "top_k.none"
    )
    (least,) = branch(
        graph,
        add_any(graph, is_on, "top_k.any"),
        then=(then, [found]),
        otherwise=(otherwise, [nothing]),
        names=["cut.least.count"],
        kinds=[_FLOAT],
    )
    return least


def _add_least_by_mass(graph: GraphBuilder, rows: tuple[str, str, str], top_p: str, *, num_ids: int) -> str:
    """Add the smallest mass in the nucleus (n,1) of what top-k left, 0 where top-p is off."""
    masses, best, by_count = rows
    is_on = graph.add("Less", [top_p, graph.scalar(1, np.float32)], "top_p.is_on")
    then = graph.body()
    border = add_least_of_nucleus(then, masses, (best, by_count, top_p), num_ids=num_ids)
    found = then.add("Where", [is_on, border, _zero(then)], "top_p.found")
    otherwise = graph.body()
    nothing = otherwise.add("Mul", [top_p, _zero(otherwise)], "top_p.none")
    (least,) = branch(
        graph,
        add_any(graph, is_on, "top_p.any"),
        then=(then, [found]),
        otherwise=(otherwise, [nothing]),
        names=["cut.least.mass"],
        kinds=[_FLOAT],
    )
    return least
