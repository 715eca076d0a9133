"""Stacked bidirectional LSTM in the graph, time-major."""

import numpy as np

from training.export.builder import GraphBuilder
from training.export.cells.lstm import TORCH_TO_ONNX
from training.export.cells.operator import reorder_gates
from training.export.weights import Arrays, prefixed


def add_encoder(graph: GraphBuilder, weights: Arrays, features: str, lengths: str) -> str:
    """Features (T,B,E) -> states of the last layer (T,B,2H), [forward, backward]."""
    states, index = features, 0
    while layer := prefixed(weights, f"encoder.layers.{index}"):
        name = f"encoder.{index}"
        outputs = add_lstm(graph, layer, states, lengths, name=name, last=False)  # (T,2,B,H)
        outputs = graph.add("Transpose", [outputs], name + ".by_token", perm=[0, 2, 1, 3])
        states = graph.add("Reshape", [outputs, graph.ints(0, 0, -1)], name + ".states")
        index += 1
    if not index:
        raise ValueError("the weights hold no encoder.layers.0")
    return states


def add_lstm(graph: GraphBuilder, weights: Arrays, inputs: str, lengths: str, *, name: str, last: bool) -> str:
    """Bidirectional LSTM with zero initial states over (T,B,I): all states (T,2,B,H), or the ``last`` ones (2,B,H).

    ``weights`` holds forward_lstm.* and backward_lstm.* with torch's names; ``lengths`` is (B,) int32.
    """
    directions = [prefixed(weights, key) for key in ("forward_lstm", "backward_lstm")]
    hidden_size = directions[0]["weight_hh_l0"].shape[1]
    inputs_to_gates, states_to_gates, input_bias, state_bias = (
        np.stack([reorder_gates(direction[key], TORCH_TO_ONNX) for direction in directions])
        for key in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    )
    operands = [
        inputs,
        graph.weight(name + ".W", inputs_to_gates),
        graph.weight(name + ".R", states_to_gates),
        graph.weight(name + ".B", np.concatenate([input_bias, state_bias], axis=1)),
        lengths,
    ]
    outputs = graph.add_many(
        "LSTM",
        operands,
        ["", name + ".last"] if last else [name + ".all"],
        hidden_size=hidden_size,
        direction="bidirectional",
    )
    return outputs[-1]
