"""The torch module of a bundle, built from its weights file: the tagger of `training`, run eagerly.

A bundle's weights are those of its graph. They are the module's own but for three things that are undone here: the
look-ups of the character convolution, one table for each place of the filter, are factored into an embedding and a
filter again (exact but for rounding: its rank is that of the embedding, plus one for the bias); a table of word
vectors that was multiplied with its part of the projection keeps the product, and gets an identity for that part;
ONNX's order of gates (input, output, forget, candidate) becomes torch's (input, forget, candidate, output).
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file
from torch import Tensor

from benchmarks.peers.tagging import Spans, Tagging
from seqserve.batches import plan_rows
from seqserve.loading import load_bundle
from seqserve.tagger.model import TaggerBundle
from seqserve.tagger.tags import allowed_transitions, spans_from_tags
from seqserve.training.layers.characters import CharCNN
from seqserve.training.layers.crf import CRF
from seqserve.training.layers.encoder import Encoder, EncoderDropout
from seqserve.training.layers.words import WordFeatures
from seqserve.training.taggers.model import Tagger

Arrays = Mapping[str, NDArray[Any]]
_WEIGHTS_FILE = "weights.safetensors"
_TINY = 1e-4  # singular values below this share of the largest are rounding


def eager_tagging_of(folder: str | Path) -> Tagging:
    """Tagging by the torch module; raises BundleError, and ValueError as `eager_tagger` does."""
    return Tagging(eager_spans_of(folder), load_bundle(folder, TaggerBundle).manifest.limits.max_sentence_tokens)


def eager_spans_of(folder: str | Path) -> Callable[[Sequence[Sequence[str]]], list[Spans]]:
    """What finds the spans of sentences, in batches as the bundle makes them; they have no score: only Viterbi runs."""
    bundle = load_bundle(folder, TaggerBundle)
    tagger = eager_tagger(bundle, load_file(Path(folder) / _WEIGHTS_FILE))

    def spans_of(rows: Sequence[Sequence[str]]) -> list[Spans]:
        found: list[Spans] = [[] for _ in rows]
        for planned in plan_rows([len(row) for row in rows]):
            batch = bundle.encode([rows[row] for row in planned])
            words, chars, lengths = (
                torch.from_numpy(each).long() for each in (batch.words, batch.chars, batch.lengths)
            )
            with torch.inference_mode():
                paths = tagger.crf.decode(tagger.emissions(words, chars, lengths), lengths).tolist()
            for row, path, length in zip(planned, paths, batch.lengths.tolist(), strict=True):
                tags = [bundle.tags[tag] for tag in path[:length]]
                found[row] = [(span, None) for span in spans_from_tags(tags)]
        return found

    return spans_of


def eager_tagger(bundle: TaggerBundle, weights: Arrays) -> Tagger:
    """The module with the bundle's weights, ready to tag; raises ValueError when it is of another kind."""
    shape = bundle.manifest.architecture
    if shape.cell != "lstm" or shape.characters != "cnn" or not shape.bidirectional:
        raise ValueError("only a bidirectional LSTM with a character convolution is rebuilt")
    words, characters = _words(weights), _characters(weights)
    encoder = Encoder(
        shape.cell,
        (words.size + characters.size, shape.hidden_size),
        num_layers=shape.num_layers,
        bidirectional=True,
        dropout=EncoderDropout(),
    )
    for index, layer in enumerate(encoder.layers):
        for direction, name in enumerate(("forward_cell", "backward_cell")):
            _fill(layer.get_submodule(name), _lstm_weights(weights, f"encoder.{index}", direction))
    allowed = allowed_transitions(bundle.tags, shape.scheme)
    tagger = Tagger(words, characters, encoder, crf=CRF(allowed))
    num_tags = len(bundle.tags)  # the graph has one more, the border
    _fill(
        tagger.emission,
        {"weight": weights["emission.weight"].T[:num_tags], "bias": weights["emission.bias"][:num_tags]},
    )
    between = weights["crf.into"].T  # [from, to], border last
    potentials = {"start": between[-1, :-1], "transitions": between[:-1, :-1], "end": between[:-1, -1]}
    kept = dict(zip(potentials, allowed, strict=True))
    _fill(tagger.crf, {name: np.where(kept[name], array, 0.0) for name, array in potentials.items()})
    return tagger.eval()


def _words(weights: Arrays) -> WordFeatures:
    tables: list[tuple[NDArray[Any], NDArray[Any]]] = []
    while f"words.tables.{len(tables)}.rows" in weights:
        prefix = f"words.tables.{len(tables)}"
        tables.append((weights[prefix + ".rows"], weights[prefix + ".vectors"].astype(np.float32)))
    trained = weights["words.trained.vectors"].astype(np.float32)
    size = len(weights["words.projection.bias"])
    words = WordFeatures(
        tables,
        weights["words.trained.rows"],
        projection_dim=size,
        trained_dim=trained.shape[1],
        word_dropout=0.0,
        unknown_probability=0.0,
    )
    unfolded = iter(np.split(weights["words.projection.weight"], _unfolded_ends(tables, size)))
    parts = [np.eye(size) if vectors.shape[1] == size else next(unfolded).T for _, vectors in tables]
    assert words.projection is not None
    assert words.trained is not None
    _fill(words.projection, {"weight": np.concatenate(parts, axis=1), "bias": weights["words.projection.bias"]})
    _fill(words.trained, {"weight": trained})
    return words


def _unfolded_ends(tables: Sequence[tuple[NDArray[Any], NDArray[Any]]], size: int) -> list[int]:
    widths = [vectors.shape[1] for _, vectors in tables if vectors.shape[1] != size]
    return [int(end) for end in np.cumsum(widths)[:-1]]


def _characters(weights: Arrays) -> CharCNN:
    """Factors the tables (C,F), one for each of W places: embedding (C,E) times filters (E,W*F)."""
    tables = [weights[name] for name in sorted(name for name in weights if name.startswith("characters.table."))]
    joined = np.concatenate(tables, axis=1).astype(np.float64)[1:]  # padding has no features
    left, values, right = np.linalg.svd(joined, full_matrices=False)
    rank = int((values > _TINY * values[0]).sum())
    embedding = np.zeros((len(joined) + 1, rank))
    embedding[1:] = left[:, :rank] * np.sqrt(values[:rank])
    filters = (right[:rank] * np.sqrt(values[:rank])[:, None]).reshape(rank, len(tables), -1)  # (E,W,F)
    characters = CharCNN(len(embedding), embedding_dim=rank, size=filters.shape[2], width=len(tables))
    _fill(characters.embedding, {"weight": embedding})
    _fill(characters.convolution, {"weight": filters.transpose(2, 0, 1), "bias": np.zeros(filters.shape[2])})
    return characters


def _lstm_weights(weights: Arrays, name: str, direction: int) -> dict[str, NDArray[Any]]:
    both_biases = weights[f"{name}.B"][direction]  # (8H)
    half = len(both_biases) // 2
    return {
        "weight_ih_l0": _gates(weights[f"{name}.W"][direction]),
        "weight_hh_l0": _gates(weights[f"{name}.R"][direction]),
        "bias_ih_l0": _gates(both_biases[:half]),
        "bias_hh_l0": _gates(both_biases[half:]),
    }


def _gates(array: NDArray[Any]) -> NDArray[Any]:
    entering, output, forget, candidate = np.split(array, 4)
    return np.concatenate([entering, forget, candidate, output])


@torch.no_grad()
def _fill(module: torch.nn.Module, arrays: Arrays) -> None:
    for name, array in arrays.items():
        parameter: Tensor = module.get_parameter(name)
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)))
