"""GRU without the relevance gate: c<t> = update gate * c~<t> + (1 - update gate) * c<t-1>."""

import numpy as np

from seqserve.training.export.builder import GraphBuilder
from seqserve.training.export.cells.cell import Parts
from seqserve.training.export.cells.masked_scan import add_state_product, scan_cell
from seqserve.training.export.weights import Arrays


def _add_body(graph: GraphBuilder, layer: Arrays, projected: str, parts: Parts, *, name: str) -> list[str]:
    total = add_state_product(graph, layer["weight_hh_l0"], parts[0], projected, name=name + ".state_weight")
    update, candidate = graph.add_many("Split", [total], [name + ".u", name + ".c"], axis=1, num_outputs=2)
    update_gate = graph.add("Sigmoid", [update], name + ".update_gate")
    candidate = graph.add("Tanh", [candidate], name + ".candidate")
    keep = graph.add("Sub", [graph.scalar(1, np.float32), update_gate], name + ".keep")
    taken = graph.add("Mul", [update_gate, candidate], name + ".taken")
    kept = graph.add("Mul", [keep, parts[0]], name + ".kept")
    return [graph.add("Add", [taken, kept], name + ".hidden")]


GRU_SIMPLIFIED = scan_cell(_add_body, num_parts=1, num_gates=2)
