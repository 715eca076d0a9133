"""What the runtime's LSTM and GRU operators take: their weights, gates in their order, and one token as a sequence."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.export.builder import GraphBuilder
from training.export.cells.cell import AddSequence, AddStep, Parts
from training.export.weights import Arrays


def reorder_gates(array: NDArray[Any], order: Sequence[int]) -> NDArray[np.float32]:
    """Return the blocks of rows, one a gate, in another order."""
    blocks = np.split(array.astype(np.float32), len(order))
    return np.concatenate([blocks[gate] for gate in order])


def add_operator_weights(graph: GraphBuilder, layer: Arrays, order: Sequence[int], *, name: str) -> list[str]:
    """Register W (1,G*H,I), R (1,G*H,H) and B (1,2*G*H) of an LSTM or GRU operator with its gates in ``order``."""
    biases = [reorder_gates(layer[key], order) for key in ("bias_ih_l0", "bias_hh_l0")]
    return [
        graph.weight(name + ".W", reorder_gates(layer["weight_ih_l0"], order)[None]),
        graph.weight(name + ".R", reorder_gates(layer["weight_hh_l0"], order)[None]),
        graph.weight(name + ".B", np.concatenate(biases)[None]),
    ]


def step_of(add_sequence: AddSequence) -> AddStep:
    """Return the form for one token of a cell that is an operator: a sequence of one, without lengths."""

    def add_step(graph: GraphBuilder, layer: Arrays, inputs: str, parts: Parts, *, name: str) -> list[str]:
        sequence = graph.add("Unsqueeze", [inputs, graph.ints(0)], name + ".inputs")  # (1,B,I)
        return add_sequence(graph, layer, sequence, "", parts, name=name)[1]

    return add_step
