"""A trained encoder-decoder as the export takes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from seqserve.training.export.cells.table import find_cell
from seqserve.training.export.language_model import TrainedLanguageModel
from seqserve.training.export.weights import Arrays, prefixed
from seqserve.vocabulary.tokens import FIRST_ID


@dataclass(frozen=True, kw_only=True)
class TrainedSide:
    """tokens: in the order of their ids, the first has id 2; max_tokens: of a text that the bundle takes."""

    tokens: Sequence[str]
    tokenization: str
    lookup: Sequence[str] = ("exact",)
    max_tokens: int = 100


@dataclass(frozen=True, kw_only=True)
class TrainedTransducer:
    """An encoder-decoder as training leaves it (`seqserve.training.transducers.model.Transducer`).

    weights: torch's layouts and gate orders. `source_embedding.weight`, `encoder.layers.N.forward_cell.*` and, for
    both directions, `backward_cell.*`; `first_state.weight` (N,D*H); `target_embedding.weight`, `layers.N.*`;
    with attention `attention.query.weight` (M,H); `readout.weight` (P,[M+]H); `softmax.weight` (V,P), absent when
    tied, and `softmax.bias`.
    """

    weights: Arrays
    source: TrainedSide
    target: TrainedSide
    cell: str
    attention: Literal["general", "none"] = "general"
    tied: bool = False

    @property
    def memory_size(self) -> int:
        """M: size of a source token's state as the decoder sees it; 0 without attention."""
        return self.encoder_size() if self.attention == "general" else 0

    @property
    def state_size(self) -> int:
        """N: numbers that carry a target from one token to the next."""
        return sum(self.decoder().part_sizes())

    def directions(self, layer: int) -> list[dict[str, tuple[int, ...]]]:
        """Return the shapes of the weights of an encoder layer's cells, forward first."""
        parts = prefixed(self.weights, f"encoder.layers.{layer}")
        cells = [prefixed(parts, f"{name}_cell") for name in ("forward", "backward")]
        return [{key: array.shape for key, array in cell.items()} for cell in cells if cell]

    def num_encoder_layers(self) -> int:
        """Count the encoder's layers."""
        count = 0
        while self.directions(count):
            count += 1
        return count

    def encoder_size(self) -> int:
        """Return D*H, of a state of the encoder's last layer."""
        return sum(cell["weight_hh_l0"][1] for cell in self.directions(self.num_encoder_layers() - 1))

    def decoder(self) -> TrainedLanguageModel:
        """Return the decoder as a language model, without its readout."""
        own = {name: array for name, array in self.weights.items() if name.startswith(("layers.", "softmax."))}
        return TrainedLanguageModel(
            weights={"embedding.weight": self.weights["target_embedding.weight"], **own},
            tokens=self.target.tokens,
            cell=self.cell,
            level="word",
            tokenization=self.target.tokenization,
            tied=self.tied,
        )

    def check(self) -> None:
        """Raise ValueError, naming the weight, when the parts do not fit each other."""
        expected: dict[str, tuple[int, ...]] = {}
        num_source, num_target = (len(side.tokens) + FIRST_ID for side in (self.source, self.target))
        size = self._size_of("source_embedding.weight")
        expected["source_embedding.weight"] = (num_source, size)
        for index in range(self.num_encoder_layers()):
            for name, cell in zip(("forward", "backward"), self.directions(index), strict=False):
                shapes = find_cell(self.cell).shapes(size, cell["weight_hh_l0"][1])
                expected |= {f"encoder.layers.{index}.{name}_cell.{key}": shape for key, shape in shapes.items()}
            size = sum(cell["weight_hh_l0"][1] for cell in self.directions(index))
        memory_size, size = size, self._size_of("target_embedding.weight")
        expected["target_embedding.weight"] = (num_target, size)
        for index, hidden in enumerate(self.decoder().hidden_sizes()):
            shapes = find_cell(self.cell).shapes(size, hidden)
            expected |= {f"layers.{index}.{key}": shape for key, shape in shapes.items()}
            size = hidden
        expected["first_state.weight"] = (self.state_size, memory_size)
        expected["first_state.bias"] = (self.state_size,)
        if self.attention == "general":
            expected["attention.query.weight"] = (memory_size, size)
        out = len(self.weights["readout.weight"])
        expected["readout.weight"] = (out, size + self.memory_size)
        expected["readout.bias"] = (out,)
        expected["target_embedding.weight" if self.tied else "softmax.weight"] = (num_target, out)
        expected["softmax.bias"] = (num_target,)
        found = {name: array.shape for name, array in self.weights.items()}
        for name in sorted(found.keys() | expected.keys()):
            if found.get(name) != expected.get(name):
                raise ValueError(f"{name} has the shape {found.get(name)}, expected {expected.get(name)}")

    def _size_of(self, name: str) -> int:
        if name not in self.weights:
            raise ValueError(f"the weights hold no {name}")
        return int(self.weights[name].shape[1])
