"""Both GRUs by the runtime's operator: reset before the product (the notes'), and after it (torch.nn.GRU)."""

import numpy as np

from training.export.builder import GraphBuilder
from training.export.cells.cell import Cell, Parts
from training.export.cells.operator import add_operator_weights, step_of
from training.export.weights import Arrays

_TO_ONNX = (1, 0, 2)  # ours and torch's gates are r,z,n; the operator's z,r,h


def _gru(*, linear_before_reset: int) -> Cell:
    def add_sequence(
        graph: GraphBuilder, layer: Arrays, inputs: str, lengths: str, parts: Parts, *, name: str
    ) -> tuple[str, list[str]]:
        first = graph.add("Unsqueeze", [parts[0], graph.ints(0)], name + ".first")  # (1,B,H)
        own = layer if linear_before_reset else _negate_update_gate(layer)
        outputs, last = graph.add_many(
            "GRU",
            [inputs, *add_operator_weights(graph, own, _TO_ONNX, name=name), lengths, first],
            [name + ".all" if lengths else "", name + ".last_hidden"],
            hidden_size=layer["weight_hh_l0"].shape[1],
            linear_before_reset=linear_before_reset,
        )
        if outputs:
            outputs = graph.add("Squeeze", [outputs, graph.ints(1)], name + ".outputs")  # (T,B,H)
        return outputs, [graph.add("Squeeze", [last, graph.ints(0)], name + ".part")]

    return Cell(num_parts=1, num_gates=3, add_step=step_of(add_sequence), add_sequence=add_sequence)


def _negate_update_gate(layer: Arrays) -> Arrays:
    """The operator's z keeps the old state, the notes' update gate the candidate: z = 1 - sigmoid(u) = sigmoid(-u)."""
    signs = np.repeat(np.array([1, -1, 1], np.float32), layer["weight_hh_l0"].shape[1])
    return {key: (array.T * signs).T for key, array in layer.items()}


GRU = _gru(linear_before_reset=0)
GRU_CUDNN = _gru(linear_before_reset=1)
