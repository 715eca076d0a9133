"""A trained language model as the export takes it, and its recurrent part in both graphs."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

from seqserve.language.manifest import TextReading
from seqserve.training.export.builder import GraphBuilder
from seqserve.training.export.cells.table import find_cell
from seqserve.training.export.features import add_lookup
from seqserve.training.export.weights import Arrays, add_linear, prefixed
from seqserve.vocabulary.tokens import FIRST_ID


@dataclass(frozen=True, kw_only=True)
class TrainedLanguageModel:
    """A language model as training leaves it.

    weights: torch's layouts and gate orders. `embedding.weight` (V,E); `layers.N.weight_ih_l0` and so on;
    `projection.weight` (P,H) and `projection.bias`, if there is one; full softmax: `softmax.weight` (V,P),
    absent when tied, and `softmax.bias`; adaptive (torch.nn.AdaptiveLogSoftmaxWithLoss, no biases):
    `softmax.head.weight`, `softmax.tail.N.0.weight`, `softmax.tail.N.1.weight`.
    tokens: in the order of their ids, the first has id 2. ends_sentences: whether <EOS> was learned. texts: how texts
    of clients are read, if otherwise than in the training.
    """

    weights: Arrays
    tokens: Sequence[str]
    cell: str
    level: Literal["word", "character"]
    tokenization: str
    lookup: Sequence[str] = ("exact",)
    softmax: Literal["full", "adaptive"] = "full"
    cutoffs: Sequence[int] = ()
    tied: bool = False
    ends_sentences: bool = True
    texts: TextReading | UnsetType = UNSET

    @property
    def num_ids(self) -> int:
        """V: all tokens, <EOS> and <UNK>."""
        return len(self.tokens) + FIRST_ID

    def layers(self) -> list[dict[str, NDArray[Any]]]:
        """Return the weights of every recurrent layer, first layer first."""
        layers: list[dict[str, NDArray[Any]]] = []
        while layer := prefixed(self.weights, f"layers.{len(layers)}"):
            layers.append(layer)
        return layers

    def hidden_sizes(self) -> list[int]:
        """Return the number of hidden units of every layer."""
        return [layer["weight_hh_l0"].shape[1] for layer in self.layers()]

    def part_sizes(self) -> list[int]:
        """Return the width of every part of a row's state, in their order: by layer h, then for both LSTMs c."""
        return [size for size in self.hidden_sizes() for _ in range(find_cell(self.cell).num_parts)]

    def check(self) -> None:
        """Raise ValueError, naming the weight, when the parts do not fit each other."""
        cell, layers = find_cell(self.cell), self.layers()
        if not layers:
            raise ValueError("the weights hold no layers.0")
        self._check_shape("embedding.weight", (self.num_ids, self.weights["embedding.weight"].shape[1]))
        size = self.weights["embedding.weight"].shape[1]
        for index, hidden in enumerate(self.hidden_sizes()):
            for key, shape in cell.shapes(size, hidden).items():
                self._check_shape(f"layers.{index}.{key}", shape)
            size = hidden
        if "projection.weight" in self.weights:
            out = len(self.weights["projection.weight"])
            self._check_shape("projection.weight", (out, size))
            self._check_shape("projection.bias", (out,))
            size = out
        self._check_softmax(size)

    def _check_softmax(self, size: int) -> None:
        if self.tied != ("softmax.weight" not in self.weights and self.softmax == "full"):
            raise ValueError(f"tied is {self.tied}, but the weights say otherwise")
        if self.softmax == "full":
            self._check_shape("embedding.weight" if self.tied else "softmax.weight", (self.num_ids, size))
            self._check_shape("softmax.bias", (self.num_ids,))
            return
        borders = [*self.cutoffs, self.num_ids]
        if not self.cutoffs or self.cutoffs[0] < 1 or sorted(set(borders)) != borders:
            raise ValueError(f"cutoffs {list(self.cutoffs)} do not rise from 1 to below the {self.num_ids} ids")
        self._check_shape("softmax.head.weight", (self.cutoffs[0] + len(self.cutoffs), size))
        for index, (low, high) in enumerate(itertools.pairwise(borders)):
            narrow = len(self.weights[f"softmax.tail.{index}.0.weight"])
            self._check_shape(f"softmax.tail.{index}.0.weight", (narrow, size))
            self._check_shape(f"softmax.tail.{index}.1.weight", (high - low, narrow))

    def _check_shape(self, name: str, shape: tuple[int, ...]) -> None:
        found = self.weights[name].shape if name in self.weights else None
        if found != shape:
            raise ValueError(f"{name} has the shape {found}, expected {shape}")


def add_embedding(graph: GraphBuilder, weights: Arrays, ids: str, *, table_dtype: str) -> str:
    """Add vectors (…,E) of ids (…) int32, zeros for START_ID (-1): x<1> = 0."""
    nothing = graph.scalar(0, np.int32)
    rows = graph.add("Max", [ids, nothing], "ids.rows")
    found = add_lookup(graph, "embedding.weight", weights["embedding.weight"], rows, table_dtype=table_dtype)
    is_start = graph.add("Unsqueeze", [graph.add("Less", [ids, nothing], "ids.start"), graph.ints(-1)], "ids.is_start")
    return graph.add("Where", [is_start, graph.scalar(0, np.float32), found], "embedded")


def split_state(graph: GraphBuilder, trained: TrainedLanguageModel, state: str) -> list[list[str]]:
    """Map state (B,S) -> for every layer its parts, each (B,H)."""
    sizes, cell = trained.part_sizes(), find_cell(trained.cell)
    if len(sizes) == 1:
        return [[state]]
    parts = graph.add_many("Split", [state, graph.ints(*sizes)], ["part"] * len(sizes), axis=1)
    return [parts[start : start + cell.num_parts] for start in range(0, len(parts), cell.num_parts)]


def join_state(graph: GraphBuilder, parts: Sequence[Sequence[str]], name: str) -> None:
    """Give the layers' new parts as the output `name` (B,S)."""
    graph.add("Concat", [part for layer in parts for part in layer], name, axis=1)


def add_steps(graph: GraphBuilder, trained: TrainedLanguageModel, values: str, state: str) -> str:
    """Add one token through every layer, (B,E) -> (B,H), and the output `next_state` (B,S)."""
    new_parts: list[list[str]] = []
    for index, (layer, parts) in enumerate(zip(trained.layers(), split_state(graph, trained, state), strict=True)):
        new_parts.append(find_cell(trained.cell).add_step(graph, layer, values, parts, name=f"layers.{index}"))
        values = new_parts[-1][0]
    join_state(graph, new_parts, "next_state")
    return values


def add_projection(graph: GraphBuilder, weights: Arrays, hidden: str) -> str:
    """Map outputs of the last layer (N,H) -> what the softmax sees (N,P)."""
    if "projection.weight" not in weights:
        return hidden
    return add_linear(graph, weights, "projection", hidden, name="projected")
