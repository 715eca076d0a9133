"""LSTM (torch.nn.LSTM; no peepholes), by the runtime's operator: it is near the machine's peak."""

from training.export.builder import GraphBuilder
from training.export.cells.cell import Cell, Parts
from training.export.cells.operator import add_operator_weights, step_of
from training.export.weights import Arrays

TORCH_TO_ONNX = (0, 3, 1, 2)  # torch's gates are i,f,g,o; the operator's i,o,f,c


def _add_sequence(
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


LSTM = Cell(num_parts=2, num_gates=4, add_step=step_of(_add_sequence), add_sequence=_add_sequence)
