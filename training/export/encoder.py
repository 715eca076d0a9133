"""Stacked recurrent layers in the graph, time-major, in one direction or both."""

from seqserve.training.export.builder import GraphBuilder
from seqserve.training.export.cells.table import find_cell
from seqserve.training.export.weights import Arrays, prefixed

DIRECTIONS = ("forward", "backward")


def add_encoder(
    graph: GraphBuilder, weights: Arrays, features: str, lengths: str, *, cell: str
) -> tuple[str, list[str]]:
    """Map features (T,B,E) -> states of the last layer (T,B,D*H), [forward, backward], and where each ended (B,H).

    `weights` holds encoder.layers.N.forward_cell.* and, for both directions, encoder.layers.N.backward_cell.*.
    """
    states, index = features, 0
    ends: list[str] = []
    while layer := prefixed(weights, f"encoder.layers.{index}"):
        states, ends = add_directions(graph, layer, states, lengths, cell=cell, name=f"encoder.{index}")
        index += 1
    if not index:
        raise ValueError("the weights hold no encoder.layers.0")
    return states, ends


def add_directions(
    graph: GraphBuilder, layer: Arrays, inputs: str, lengths: str, *, cell: str, name: str
) -> tuple[str, list[str]]:
    """Add one layer from a zero state over (T,B,I): all states (T,B,D*H), and of each direction the last (B,H)."""
    outputs, ends = [], []
    for direction in DIRECTIONS:
        if own := prefixed(layer, f"{direction}_cell"):
            states, last = find_cell(cell).add_sequence(
                graph, own, inputs, lengths, (), name=f"{name}.{direction}", backward=direction == "backward"
            )
            outputs.append(states)
            ends.append(last[0])
    joined = outputs[0] if len(outputs) == 1 else graph.add("Concat", outputs, name + ".states", axis=2)
    return joined, ends


def add_feed_forward(graph: GraphBuilder, weights: Arrays, inputs: str, *, name: str) -> str:
    """Add linear layers with relu (training/layers/encoder.py) over the last axis of (…,I); none: the inputs."""
    outputs, index = inputs, 0
    while layer := prefixed(weights, f"{name}.layers.{index}"):
        own = f"{name}.{index}"
        product = graph.add("MatMul", [outputs, graph.weight(own + ".weight", layer["weight"].T)], own + ".product")
        total = graph.add("Add", [product, graph.weight(own + ".bias", layer["bias"])], own + ".sum")
        outputs = graph.add("Relu", [total], own + ".outputs")
        index += 1
    return outputs
