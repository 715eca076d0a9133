"""A cell that the runtime has an operator for: LSTM or GRU, its gates in the operator's order."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqserve.training.export.builder import GraphBuilder
from seqserve.training.export.cells.cell import Cell, Parts
from seqserve.training.export.weights import Arrays


def reorder_gates(array: NDArray[Any], order: Sequence[int]) -> NDArray[np.float32]:
    """Return the blocks of rows, one a gate, in another order."""
    blocks = np.split(array.astype(np.float32), len(order))
    return np.concatenate([blocks[gate] for gate in order])


def operator_cell(
    operator: str,
    order: Sequence[int],
    *,
    prepare: Callable[[Arrays], Arrays] | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> Cell:
    """Return the cell of that operator, "LSTM" or "GRU"; `order`: its gates' places in the weights.

    `prepare` changes the weights before their gates are reordered; `attributes` are the operator's own.
    """
    names = ["hidden", "cell"] if operator == "LSTM" else ["hidden"]

    def add_sequence(
        graph: GraphBuilder,
        layer: Arrays,
        inputs: str,
        lengths: str,
        parts: Parts,
        *,
        name: str,
        backward: bool = False,
    ) -> tuple[str, list[str]]:
        weights = _add_weights(graph, prepare(layer) if prepare else layer, order, name=name)
        first = [graph.add("Unsqueeze", [part, graph.ints(0)], name + ".first") for part in parts]  # (1,B,H)
        outputs, *last = graph.add_many(
            operator,
            [inputs, *weights, lengths, *first],
            [name + ".all" if lengths else "", *(f"{name}.last_{part}" for part in names)],
            hidden_size=layer["weight_hh_l0"].shape[1],
            direction="reverse" if backward else "forward",
            **(attributes or {}),
        )
        if outputs:
            outputs = graph.add("Squeeze", [outputs, graph.ints(1)], name + ".outputs")  # (T,B,H)
        return outputs, [graph.add("Squeeze", [part, graph.ints(0)], name + ".part") for part in last]

    def add_step(graph: GraphBuilder, layer: Arrays, inputs: str, parts: Parts, *, name: str) -> list[str]:
        sequence = graph.add("Unsqueeze", [inputs, graph.ints(0)], name + ".inputs")  # (1,B,I)
        return add_sequence(graph, layer, sequence, "", parts, name=name)[1]

    return Cell(num_parts=len(names), num_gates=len(order), add_step=add_step, add_sequence=add_sequence)


def _add_weights(graph: GraphBuilder, layer: Arrays, order: Sequence[int], *, name: str) -> list[str]:
    """Register W (1,G*H,I), R (1,G*H,H) and B (1,2*G*H)."""
    biases = [reorder_gates(layer[key], order) for key in ("bias_ih_l0", "bias_hh_l0")]
    return [
        graph.weight(name + ".W", reorder_gates(layer["weight_ih_l0"], order)[None]),
        graph.weight(name + ".R", reorder_gates(layer["weight_hh_l0"], order)[None]),
        graph.weight(name + ".B", np.concatenate(biases)[None]),
    ]
