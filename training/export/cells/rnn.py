"""Vanilla RNN (torch.nn.RNN with tanh): a<t> = tanh(W_ax x<t> + W_aa a<t-1> + b_a)."""

import numpy as np

from training.export.builder import GraphBuilder
from training.export.cells.cell import Cell, Parts
from training.export.cells.masked_scan import sequence_of, step_of
from training.export.weights import Arrays


def _add_projection(graph: GraphBuilder, layer: Arrays, inputs: str, *, name: str) -> str:
    weight = graph.weight(name + ".input_weight", layer["weight_ih_l0"].astype(np.float32))
    bias = graph.weight(name + ".bias", (layer["bias_ih_l0"] + layer["bias_hh_l0"]).astype(np.float32))
    return graph.add("Gemm", [inputs, weight, bias], name + ".projected", transB=1)


def _add_body(graph: GraphBuilder, layer: Arrays, projected: str, parts: Parts, *, name: str) -> list[str]:
    weight = graph.weight(name + ".state_weight", layer["weight_hh_l0"].astype(np.float32))
    total = graph.add("Gemm", [parts[0], weight, projected], name + ".sum", transB=1)
    return [graph.add("Tanh", [total], name + ".hidden")]


RNN = Cell(
    num_parts=1,
    num_gates=1,
    add_step=step_of(_add_projection, _add_body),
    add_sequence=sequence_of(_add_projection, _add_body),
)
