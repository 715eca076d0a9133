"""LSTM whose three gates see c<t-1>: a Scan, since the output gate of the operator's peepholes sees c<t>."""

from seqserve.training.export.builder import GraphBuilder
from seqserve.training.export.cells.cell import Parts
from seqserve.training.export.cells.masked_scan import add_state_product, scan_cell
from seqserve.training.export.cells.operator import reorder_gates
from seqserve.training.export.weights import Arrays

_ORDER = (0, 1, 3, 2)  # u,f,c~,o -> u,f,o,c~: the gates with peepholes lie together


def _add_body(graph: GraphBuilder, layer: Arrays, projected: str, parts: Parts, *, name: str) -> list[str]:
    hidden_state, cell_state = parts
    size = layer["weight_hh_l0"].shape[1]
    own = reorder_gates(layer["weight_hh_l0"], _ORDER)
    total = add_state_product(graph, own, hidden_state, projected, name=name + ".state_weight")
    gates, candidate = graph.add_many("Split", [total, graph.ints(3 * size, size)], [name + ".g", name + ".c"], axis=1)
    seen = add_state_product(graph, layer["weight_ch_l0"], cell_state, gates, name=name + ".peephole_weight")
    opened = graph.add("Sigmoid", [seen], name + ".gates")
    names = [name + ".update_gate", name + ".forget_gate", name + ".output_gate"]
    update_gate, forget_gate, output_gate = graph.add_many("Split", [opened], names, axis=1, num_outputs=3)
    taken = graph.add("Mul", [update_gate, graph.add("Tanh", [candidate], name + ".candidate")], name + ".taken")
    kept = graph.add("Mul", [forget_gate, cell_state], name + ".kept")
    new_cell = graph.add("Add", [taken, kept], name + ".cell")
    new_hidden = graph.add("Mul", [output_gate, graph.add("Tanh", [new_cell], name + ".tanh")], name + ".hidden")
    return [new_hidden, new_cell]


LSTM_PEEPHOLE = scan_cell(_add_body, num_parts=2, num_gates=4, order=_ORDER, has_peepholes=True)
