"""The graph of a tagger: words, chars, lengths -> tags and probabilities (see docs/design.md)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from seqserve.tagger.load import tagger_signature
from seqserve.training.export.builder import GraphBuilder, value_infos
from seqserve.training.export.crf import add_crf
from seqserve.training.export.encoder import add_encoder, add_feed_forward
from seqserve.training.export.features import READER_INPUTS, add_features
from seqserve.training.export.potentials import Potentials
from seqserve.training.export.weights import Arrays

_BELOW_EVERY_TAG = -1e4  # emission of the border, which is no tag


@dataclass(frozen=True)
class TaggerOptions:
    """tags and scheme as in `seqserve.tagger.tags`; table_dtype: of word vectors, float32 or float16.

    temperature: see `potentials.Potentials`.
    """

    tags: tuple[str, ...]
    scheme: str
    cell: str = "lstm"
    table_dtype: str = "float16"
    temperature: float = 1.0


def build_tagger(weights: Arrays, options: TaggerOptions) -> tuple[onnx.ModelProto, dict[str, NDArray[Any]]]:
    """Return the graph and the tensors of its weights file (`weights.save_graphs` writes both).

    `weights` is a tagger's state dict as arrays; raises ValueError when it does not fit the options.
    """
    if weights["emission.bias"].shape != (len(options.tags),):
        raise ValueError(f"the weights are for {len(weights['emission.bias'])} tags, not {len(options.tags)}")
    graph = GraphBuilder()
    words, chars, lengths = (graph.unique(name) for name in READER_INPUTS)
    features = add_features(graph, weights, words, chars, table_dtype=options.table_dtype)
    states, _ = add_encoder(graph, weights, features, lengths, cell=options.cell)
    hidden = add_feed_forward(graph, weights, states, name="feed_forward")
    emissions = _add_emissions(graph, weights, hidden)
    lengths_long = graph.add("Cast", [lengths], "lengths.long", to=TensorProto.INT64)
    potentials = Potentials.of(weights, options.tags, options.scheme, options.temperature)
    results = add_crf(graph, potentials, emissions, lengths_long)
    _add_outputs(graph, lengths_long, results)
    return graph.model("tagger", *map(value_infos, tagger_signature(len(options.tags)))), graph.tensors


def _add_emissions(graph: GraphBuilder, weights: Arrays, states: str) -> str:
    """Add scores (T,B,K+1) of every tag, and of the border as last column."""
    factor = np.pad(weights["emission.weight"].astype(np.float32), ((0, 1), (0, 0))).T
    bias = np.append(weights["emission.bias"].astype(np.float32), np.float32(_BELOW_EVERY_TAG))
    product = graph.add("MatMul", [states, graph.weight("emission.weight", factor)], "emission.product")
    return graph.add("Add", [product, graph.weight("emission.bias", bias)], "emissions")


def _add_outputs(graph: GraphBuilder, lengths: str, results: tuple[str, str, str, str]) -> None:
    """Add the outputs, batch first, with zeros beyond each row's end."""
    path, tag_probs, span_probs, continue_probs = results
    num_tokens = graph.add("Squeeze", [graph.add("Shape", [path], "shape", end=1)], "num_tokens")
    zero, one = graph.scalar(0, np.int64), graph.scalar(1, np.int64)
    positions = graph.add("Range", [zero, num_tokens, one], "positions")
    column = graph.add("Unsqueeze", [lengths, graph.ints(1)], "lengths.column")
    is_real = graph.add("Less", [positions, column], "is_real")  # (B,T)
    is_real_deep = graph.add("Unsqueeze", [is_real, graph.ints(2)], "is_real.deep")
    path_rows = graph.add("Transpose", [path], "path.rows", perm=[1, 0])
    tags = graph.add("Cast", [path_rows], "path.int", to=TensorProto.INT32)
    marginals = graph.add("Transpose", [tag_probs], "marginals.rows", perm=[1, 0, 2])
    spans = graph.add("Transpose", [span_probs], "spans.rows", perm=[1, 0])
    continuing = graph.add("Transpose", [continue_probs], "continuing.rows", perm=[1, 0, 2])
    nothing = graph.scalar(0, np.float32)
    graph.add("Where", [is_real, tags, graph.scalar(0, np.int32)], "tags")
    graph.add("Where", [is_real_deep, marginals, nothing], "tag_probs")
    graph.add("Where", [is_real, spans, nothing], "span_probs")
    graph.add("Where", [is_real_deep, continuing, nothing], "continue_probs")
