"""Small random language models, their graphs, and what they must give: by torch's modules and by plain NumPy."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from seqserve.graph import Graph
from seqserve.language.signature import score_signature, step_signature
from seqserve.training.export.cells.table import find_cell
from seqserve.training.export.language_model import TrainedLanguageModel
from seqserve.training.language.score_graph import build_score
from seqserve.training.language.step_graph import build_step
from seqserve.training.layers.cells import build_cells
from seqserve.vocabulary.tokens import START_ID
from tests.training.export.sessions import open_graph

# Sizes that are no multiples of a vector register; layers wide enough for products in blocks (256 terms); one and two
# levels of CDF.
MODELS: dict[str, dict[str, Any]] = {
    "lstm, full": {},
    "gru-cudnn, full": {"cell": "gru-cudnn"},
    "gru, full": {"cell": "gru"},
    "gru-simplified, full": {"cell": "gru-simplified"},
    "lstm-peephole, full": {"cell": "lstm-peephole"},
    "rnn, full": {"cell": "rnn"},
    "lstm, tied": {"tied": True, "num_layers": 3},
    "lstm, projected and tied": {"tied": True, "projection_dim": 12},
    "lstm, adaptive": {"num_ids": 70, "cutoffs": (10, 30), "hidden_size": 19},
    "gru-cudnn, projected, adaptive, wide": {
        "cell": "gru-cudnn",
        "num_ids": 1500,
        "cutoffs": (100, 500),
        "hidden_size": 150,
        "projection_dim": 65,
        "num_layers": 1,
    },
    "rnn, wide": {"cell": "rnn", "num_ids": 1201, "hidden_size": 300, "num_layers": 1},
    "gru, wide": {"cell": "gru", "num_ids": 90, "hidden_size": 300, "num_layers": 3},
    "gru-simplified, wide": {"cell": "gru-simplified", "num_ids": 90, "hidden_size": 270, "num_layers": 1},
    "lstm-peephole, wide": {"cell": "lstm-peephole", "num_ids": 90, "hidden_size": 300, "num_layers": 2},
}


def random_model(
    *,
    cell: str = "lstm",
    num_ids: int = 40,
    embedding_dim: int = 12,
    hidden_size: int = 9,
    num_layers: int = 2,
    projection_dim: int = 0,
    cutoffs: tuple[int, ...] = (),
    tied: bool = False,
    seed: int = 0,
) -> TrainedLanguageModel:
    """Weights as large as trained ones, so that answers differ."""
    generator = np.random.default_rng(seed)

    def normal(*shape: int) -> np.ndarray:
        return generator.normal(0, 0.4 if shape[-1] < 100 else 0.15, shape).astype(np.float32)

    weights, size = {"embedding.weight": normal(num_ids, embedding_dim)}, embedding_dim
    for layer in range(num_layers):
        hidden = embedding_dim if tied and not projection_dim and layer == num_layers - 1 else hidden_size
        for key, shape in find_cell(cell).shapes(size, hidden).items():
            weights[f"layers.{layer}.{key}"] = normal(*shape)
        size = hidden
    if projection_dim:
        weights["projection.weight"], weights["projection.bias"] = normal(projection_dim, size), normal(projection_dim)
        size = projection_dim
    if cutoffs:
        borders = [*cutoffs, num_ids]
        weights["softmax.head.weight"] = normal(cutoffs[0] + len(cutoffs), size)
        for number in range(len(cutoffs)):
            narrow = max(1, int(size // 4.0 ** (number + 1)))
            weights[f"softmax.tail.{number}.0.weight"] = normal(narrow, size)
            weights[f"softmax.tail.{number}.1.weight"] = normal(borders[number + 1] - borders[number], narrow)
    else:
        weights["softmax.bias"] = normal(num_ids)
        if not tied:
            weights["softmax.weight"] = normal(num_ids, size)
    return TrainedLanguageModel(
        weights=weights,
        tokens=[f"word{number}" for number in range(2, num_ids)],
        cell=cell,
        level="word",
        tokenization="whitespace",
        softmax="adaptive" if cutoffs else "full",
        cutoffs=cutoffs,
        tied=tied,
    )


def open_score(folder: Path, trained: TrainedLanguageModel, *, table_dtype: str = "float32") -> Graph:
    folder.mkdir(exist_ok=True)
    return open_graph(
        folder, *build_score(trained, table_dtype=table_dtype), *score_signature(sum(trained.part_sizes()))
    )


def open_step(folder: Path, trained: TrainedLanguageModel, *, table_dtype: str = "float32") -> Graph:
    folder.mkdir(exist_ok=True)
    return open_graph(folder, *build_step(trained, table_dtype=table_dtype), *step_signature(sum(trained.part_sizes())))


def score_feeds(trained: TrainedLanguageModel, targets: np.ndarray, lengths: np.ndarray, *, num_top: int = 0) -> dict:
    """From the start of a text; ids beyond a row's end are as they come."""
    return {
        "previous_ids": previous_of(targets),
        "target_ids": targets.astype(np.int32),
        "lengths": lengths.astype(np.int32),
        "state": np.zeros((len(targets), sum(trained.part_sizes())), np.float32),
        "num_top": np.array([num_top], np.int64),
    }


def previous_of(targets: np.ndarray) -> np.ndarray:
    first = np.full((len(targets), 1), START_ID)
    return np.concatenate([first, targets[:, :-1]], axis=1).astype(np.int32)


def torch_log_probs(trained: TrainedLanguageModel, previous: np.ndarray) -> np.ndarray:
    """Log P of every id after each token of the rows (B,T), which are all of one length: (B,T,V) float32."""
    weights = {name: torch.from_numpy(array) for name, array in trained.weights.items()}
    ids = torch.from_numpy(previous.astype(np.int64))
    values = weights["embedding.weight"][ids.clamp(min=0)] * (ids != START_ID).unsqueeze(2)
    with torch.no_grad():
        for number, layer in enumerate(trained.layers()):
            hidden_size, size = layer["weight_hh_l0"].shape[1], layer["weight_ih_l0"].shape[1]
            (module,) = build_cells(trained.cell, [(size, hidden_size)])
            module.load_state_dict({name: torch.from_numpy(array) for name, array in layer.items()})
            values = module(values)[0]
            assert values.shape[2] == trained.hidden_sizes()[number]
        if "projection.weight" in weights:
            values = nn.functional.linear(values, weights["projection.weight"], weights["projection.bias"])
        flat = values.flatten(0, 1)
        if trained.softmax == "adaptive":
            softmax = nn.AdaptiveLogSoftmaxWithLoss(flat.shape[1], trained.num_ids, list(trained.cutoffs))
            state = {name.removeprefix("softmax."): w for name, w in weights.items() if name.startswith("softmax.")}
            softmax.load_state_dict(state)
            log_probs = softmax.log_prob(flat)
        else:
            table = weights["embedding.weight" if trained.tied else "softmax.weight"]
            log_probs = nn.functional.log_softmax(nn.functional.linear(flat, table, weights["softmax.bias"]), dim=1)
    return log_probs.view(*previous.shape, -1).numpy()


class NumpyModel:
    """The equations in float64, one row and one token at a time."""

    def __init__(self, trained: TrainedLanguageModel) -> None:
        self.trained = trained
        self.weights = {name: array.astype(np.float64) for name, array in trained.weights.items()}

    def read(self, token_id: int, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """State (S,) and the next token read -> log P of every id (V,), new state (S,)."""
        trained, parts, new_parts = self.trained, np.split(state, np.cumsum(self.trained.part_sizes())[:-1]), []
        values = self.weights["embedding.weight"][max(token_id, 0)] * (token_id != START_ID)
        per_layer = len(parts) // len(trained.layers())
        for number in range(len(trained.layers())):
            own = parts[number * per_layer : (number + 1) * per_layer]
            new_parts += self._cell(number, values, own)
            values = new_parts[-per_layer]
        if "projection.weight" in self.weights:
            values = self.weights["projection.weight"] @ values + self.weights["projection.bias"]
        return self._log_probs(values), np.concatenate(new_parts)

    def _cell(self, number: int, values: np.ndarray, parts: list[np.ndarray]) -> list[np.ndarray]:
        layer = {
            key.removeprefix(f"layers.{number}."): weight
            for key, weight in self.weights.items()
            if key.startswith(f"layers.{number}.")
        }
        return numpy_cell(self.trained.cell, layer, values, parts)

    def _log_probs(self, values: np.ndarray) -> np.ndarray:
        if self.trained.softmax == "full":
            table = self.weights["embedding.weight" if self.trained.tied else "softmax.weight"]
            return log_softmax(table @ values + self.weights["softmax.bias"])
        cutoffs = self.trained.cutoffs
        head = log_softmax(self.weights["softmax.head.weight"] @ values)
        parts = [head[: cutoffs[0]]]
        for number in range(len(cutoffs)):
            narrow, wide = (self.weights[f"softmax.tail.{number}.{place}.weight"] for place in (0, 1))
            parts.append(head[cutoffs[0] + number] + log_softmax(wide @ (narrow @ values)))
        return np.concatenate(parts)


def numpy_cell(cell: str, layer: dict, values: np.ndarray, parts: list[np.ndarray]) -> list[np.ndarray]:
    """One token: x<t> (I,) and the parts of the state (H,) -> the new parts, by the source notes' equations."""
    from_input = layer["weight_ih_l0"] @ values + layer["bias_ih_l0"]
    from_state = layer["weight_hh_l0"] @ parts[0] + layer["bias_hh_l0"]
    if cell == "rnn":
        return [np.tanh(from_input + from_state)]
    if cell == "rnn-relu":
        return [np.maximum(from_input + from_state, 0)]
    if cell == "gru-simplified":
        update, candidate = np.split(from_input + from_state, 2)
        update_gate = sigmoid(update)
        return [update_gate * np.tanh(candidate) + (1 - update_gate) * parts[0]]
    if cell == "gru":
        (r_x, u_x, c_x), (r_a, u_a, _) = np.split(from_input, 3), np.split(from_state, 3)
        relevance_gate, update_gate = sigmoid(r_x + r_a), sigmoid(u_x + u_a)
        of_candidate, bias = np.split(layer["weight_hh_l0"], 3)[2], np.split(layer["bias_hh_l0"], 3)[2]
        candidate = np.tanh(c_x + of_candidate @ (relevance_gate * parts[0]) + bias)
        return [update_gate * candidate + (1 - update_gate) * parts[0]]
    if cell == "gru-cudnn":
        (r_x, z_x, n_x), (r_a, z_a, n_a) = np.split(from_input, 3), np.split(from_state, 3)
        keep = sigmoid(z_x + z_a)
        return [(1 - keep) * np.tanh(n_x + sigmoid(r_x + r_a) * n_a) + keep * parts[0]]
    update, forget, candidate, output = np.split(from_input + from_state, 4)
    if cell == "lstm-peephole":
        seen = np.split(layer["weight_ch_l0"] @ parts[1], 3)
        update, forget, output = update + seen[0], forget + seen[1], output + seen[2]
    cell_state = sigmoid(update) * np.tanh(candidate) + sigmoid(forget) * parts[1]
    return [sigmoid(output) * np.tanh(cell_state), cell_state]


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def log_softmax(values: np.ndarray) -> np.ndarray:
    shifted = values - values.max()
    return shifted - np.log(np.exp(shifted).sum())


def chi_square_limit(freedom: int) -> float:
    """What a chi-square statistic exceeds once in 1000 times (Wilson and Hilferty's approximation)."""
    share = 2 / (9 * freedom)
    return freedom * (1 - share + 3.0902 * np.sqrt(share)) ** 3
