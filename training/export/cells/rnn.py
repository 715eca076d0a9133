"""Vanilla RNN (torch.nn.RNN): a<t> = g(W_ax x<t> + W_aa a<t-1> + b_a), g = tanh or relu."""

from seqserve.training.export.builder import GraphBuilder
from seqserve.training.export.cells.cell import Cell, Parts
from seqserve.training.export.cells.masked_scan import add_state_product, scan_cell
from seqserve.training.export.weights import Arrays


def _rnn(activation: str) -> Cell:
    def add_body(graph: GraphBuilder, layer: Arrays, projected: str, parts: Parts, *, name: str) -> list[str]:
        total = add_state_product(graph, layer["weight_hh_l0"], parts[0], projected, name=name + ".state_weight")
        return [graph.add(activation, [total], name + ".hidden")]

    return scan_cell(add_body, num_parts=1, num_gates=1)


RNN = _rnn("Tanh")
RNN_RELU = _rnn("Relu")
