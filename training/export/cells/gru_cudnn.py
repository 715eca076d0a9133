"""GRU, reset applied after the product: torch.nn.GRU, the operator's ``linear_before_reset=1``."""

from training.export.builder import GraphBuilder
from training.export.cells.cell import Cell, Parts
from training.export.cells.lstm import add_operator_weights
from training.export.weights import Arrays

_TORCH_TO_ONNX = (1, 0, 2)  # torch's gates are r,z,n; the operator's z,r,h


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
    first = graph.add("Unsqueeze", [parts[0], graph.ints(0)], name + ".first")  # (1,B,H)
    weights = add_operator_weights(graph, layer, _TORCH_TO_ONNX, name=name)
    outputs, last = graph.add_many(
        "GRU",
        [inputs, *weights, lengths, first],
        [name + ".all" if lengths else "", name + ".last_hidden"],
        hidden_size=layer["weight_hh_l0"].shape[1],
        linear_before_reset=1,
    )
    if outputs:
        outputs = graph.add("Squeeze", [outputs, graph.ints(1)], name + ".outputs")  # (T,B,H)
    return outputs, [graph.add("Squeeze", [last, graph.ints(0)], name + ".part")]


GRU_CUDNN = Cell(num_parts=1, num_gates=3, add_step=_add_step, add_sequence=_add_sequence)
