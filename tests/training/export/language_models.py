"""Small random language models, their graphs, and what they must give: by torch's modules and by plain NumPy."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from bundle.graph import Graph
from bundle.language_signature import score_signature, step_signature
from bundle.token_vocabulary import START_ID
from tests.training.export.sessions import open_graph
from training.export.language_model import TrainedLanguageModel
from training.export.score import build_score
from training.export.step import build_step

MODULES = {"lstm": nn.LSTM, "gru-cudnn": nn.GRU, "rnn": nn.RNN}
GATES = {"lstm": 4, "gru-cudnn": 3, "rnn": 1}

# Sizes that are no multiples of a vector register; layers wide enough for products in blocks (256 terms); one and two
# levels of CDF.
MODELS: dict[str, dict[str, Any]] = {
    "lstm, full": {},
    "gru, full": {"cell": "gru-cudnn"},
    "rnn, full": {"cell": "rnn"},
    "lstm, tied": {"tied": True, "num_layers": 3},
    "lstm, projected and tied": {"tied": True, "projection_dim": 12},
    "lstm, adaptive": {"num_ids": 70, "cutoffs": (10, 30), "hidden_size": 19},
    "gru, projected, adaptive, wide": {
        "cell": "gru-cudnn",
        "num_ids": 1500,
        "cutoffs": (100, 500),
        "hidden_size": 150,
        "projection_dim": 65,
        "num_layers": 1,
    },
    "rnn, wide": {"cell": "rnn", "num_ids": 1201, "hidden_size": 300, "num_layers": 1},
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
        rows = GATES[cell] * hidden
        weights[f"layers.{layer}.weight_ih_l0"] = normal(rows, size)
        weights[f"layers.{layer}.weight_hh_l0"] = normal(rows, hidden)
        weights[f"layers.{layer}.bias_ih_l0"] = normal(rows)
        weights[f"layers.{layer}.bias_hh_l0"] = normal(rows)
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
            module = MODULES[trained.cell](size, hidden_size, batch_first=True)
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
        w_x, w_a, b_x, b_a = (
            self.weights[f"layers.{number}.{key}"]
            for key in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        )
        from_input, from_state = w_x @ values + b_x, w_a @ parts[0] + b_a
        if self.trained.cell == "rnn":
            return [np.tanh(from_input + from_state)]
        if self.trained.cell == "lstm":
            update_gate, forget_gate, candidate, output_gate = np.split(from_input + from_state, 4)
            cell_state = sigmoid(update_gate) * np.tanh(candidate) + sigmoid(forget_gate) * parts[1]
            return [sigmoid(output_gate) * np.tanh(cell_state), cell_state]
        (r_x, z_x, n_x), (r_a, z_a, n_a) = np.split(from_input, 3), np.split(from_state, 3)
        keep = sigmoid(z_x + z_a)
        return [(1 - keep) * np.tanh(n_x + sigmoid(r_x + r_a) * n_a) + keep * parts[0]]

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


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def log_softmax(values: np.ndarray) -> np.ndarray:
    shifted = values - values.max()
    return shifted - np.log(np.exp(shifted).sum())


def chi_square_limit(freedom: int) -> float:
    """What a chi-square statistic exceeds once in 1000 times (Wilson and Hilferty's approximation)."""
    share = 2 / (9 * freedom)
    return freedom * (1 - share + 3.0902 * np.sqrt(share)) ** 3
