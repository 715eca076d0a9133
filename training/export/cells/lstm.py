"""LSTM (torch.nn.LSTM; no peepholes), by the runtime's operator: it is near the machine's peak."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.export.builder import GraphBuilder
from training.export.cells.cell import Cell, Parts
from training.export.weights import Arrays

TORCH_TO_ONNX = (0, 3, 1, 2)  # torch's gates are i,f,g,o; the operator's i,o,f,c


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


def _add_step(graph: GraphBuilder, layer: Arrays, inputs: str, parts: Parts, *, name: str) -> list[str]:
    sequence = graph.add("Unsqueeze", [inputs, graph.ints(0)], name + ".inputs")  # (1,B,I)
    return _add(graph, layer, sequence, "", parts, name=name)[1]


def _add_sequence(
    graph: GraphBuilder, layer: Arrays, inputs: str, lengths: str, parts: Parts, *, name: str
) -> tuple[str, list[str]]:
    return _add(graph, layer, inputs, lengths, parts, name=name)


def _add(
    graph: GraphBuilder, layer: Arrays, inputs: str, lengths: str, parts: Parts, *, name: str
) -> tuple[str, list[str]]:
    first = [graph.add("Unsqueeze", [part, graph.ints(0)], name + ".first") for part in parts]  # (1,B,H)
    weights = add_operator_weights(graph, layer, TORCH_TO_ONNX, name=name)
    outputs, *last = graph.add_many(
        "LSTM",
        [inputs, *weights, lengths, *first],
        [name + ".all" if lengths else "", name + ".last_hidden", name + ".last_cell"],
        hidden_size=layer["weight_hh_l0"].shape[1],
    )
    if outputs:
        outputs = graph.add("Squeeze", [outputs, graph.ints(1)], name + ".outputs")  # (T,B,H)
    return outputs, [graph.add("Squeeze", [part, graph.ints(0)], name + ".part") for part in last]


LSTM = Cell(num_parts=2, num_gates=4, add_step=_add_step, add_sequence=_add_sequence)
