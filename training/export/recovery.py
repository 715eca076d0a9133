"""Weights that training can go on with, from the weights file of a bundle: the inverse of the export of a reader.

The export folds: a table of vectors with its part of the projection, characters with their filter. What comes back is
an equal model of the same sizes, and not the same numbers.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqserve.training.export.builder import GraphBuilder
from seqserve.training.export.cells.table import find_cell
from seqserve.training.export.encoder import DIRECTIONS
from seqserve.training.export.potentials import FORBIDDEN
from seqserve.training.export.weights import Arrays

_RANK = 1e-5  # of the largest singular value: what is below it is the rounding of float32


class RecoveryError(ValueError):
    """A weights file that is not one of a float32 reader; the sentence names the tensor."""


class Stored(dict[str, NDArray[Any]]):
    """The tensors of a weights file by name; the layers of an older file hold both directions in one tensor."""

    def __init__(self, tensors: Arrays):
        super().__init__(tensors)
        for name, array in tensors.items():
            layer, _, part = name.rpartition(".")
            if layer.startswith("encoder.") and layer.count(".") == 1:
                for direction, own in zip(DIRECTIONS, np.split(array, len(array)), strict=False):
                    self[f"{layer}.{direction}.{part}"] = own

    def __missing__(self, name: str) -> NDArray[Any]:
        raise RecoveryError(
            f"there is no {name} in it; int8 weights are not trained, but the float ones they come from"
        )


def recover_reader(stored: Stored, *, cell: str, hidden_size: int) -> dict[str, NDArray[Any]]:
    """Return the state dict of a reader's features, recurrent layers and feed-forward layers.

    Raises RecoveryError for a tensor that is missing.
    """
    weights = {**_words(stored), **_characters(stored)}
    weights |= {
        f"encoder.{name}": array for name, array in _layers(stored, cell, hidden_size, _size_of(weights)).items()
    }
    for name, array in stored.items():
        if name.startswith("feed_forward."):
            _, index, part = name.split(".")
            weights[f"feed_forward.layers.{index}.{part}"] = array.T
    return weights


def recover_crf(stored: Stored) -> dict[str, NDArray[Any]]:
    """Return emission and CRF weights without the border; what the scheme forbids is 0, as it has no effect."""
    between = stored["crf.into"].T  # (from, to)
    between = np.where(between <= FORBIDDEN / 2, 0.0, between).astype(np.float32)
    return {
        "emission.weight": stored["emission.weight"].T[:-1],
        "emission.bias": stored["emission.bias"][:-1],
        "crf.start": between[-1, :-1],
        "crf.transitions": between[:-1, :-1],
        "crf.end": between[:-1, -1],
    }


def recover_layer(
    stored: Mapping[str, NDArray[Any]], cell: str, sizes: tuple[int, int], *, name: str
) -> dict[str, NDArray[np.float32]]:
    """Return the weights of one layer in one direction; `sizes`: of an input and of a state.

    Cells reorder, negate and add up their weights when they are exported. Exporting numbers in place of a weight shows
    where each of its entries goes. Of two biases that are added up, the first takes the sum.
    """
    shapes = find_cell(cell).shapes(*sizes)
    assert max(map(np.prod, shapes.values())) < 1 << 24, "float32 counts no further"
    taken: dict[str, NDArray[np.bool_]] = {}
    found: dict[str, NDArray[np.float32]] = {}
    for key, shape in shapes.items():
        numbers = np.arange(1, np.prod(shape) + 1, dtype=np.float32).reshape(shape)
        layer = {other: np.zeros(size, np.float32) for other, size in shapes.items()} | {key: numbers}
        graph = GraphBuilder()
        find_cell(cell).add_sequence(graph, layer, "inputs", "lengths", (), name=name)
        values = np.zeros(numbers.size + 1, np.float32)
        for tensor, places in graph.tensors.items():
            is_own = (places != 0) & ~taken.get(tensor, np.zeros(places.shape, bool))
            values[np.abs(places[is_own]).astype(np.int64)] = np.sign(places[is_own]) * stored[tensor][is_own]
            taken[tensor] = taken.get(tensor, is_own) | is_own
        found[key] = values[1:].reshape(shape)
    return found


def _layers(stored: Stored, cell: str, hidden_size: int, input_size: int) -> dict[str, NDArray[Any]]:
    weights: dict[str, NDArray[Any]] = {}
    index, size = 0, input_size
    while directions := [
        each for each in DIRECTIONS if any(key.startswith(f"encoder.{index}.{each}.") for key in stored)
    ]:
        for direction in directions:
            layer = recover_layer(stored, cell, (size, hidden_size), name=f"encoder.{index}.{direction}")
            weights |= {f"layers.{index}.{direction}_cell.{key}": array for key, array in layer.items()}
        index, size = index + 1, len(directions) * hidden_size
    return weights


def _words(stored: Stored) -> dict[str, NDArray[Any]]:
    """Return tables of vectors, their projection, and the trained table.

    A table that was folded is as wide as the projection, and goes on through a projection that begins as the identity.
    """
    weights: dict[str, NDArray[Any]] = {}
    widths: list[int] = []
    while (prefix := f"words.tables.{len(widths)}") + ".rows" in stored:
        weights[prefix + ".rows"] = stored[prefix + ".rows"]
        weights[prefix + ".vectors"] = stored[prefix + ".vectors"].astype(np.float32)
        widths.append(weights[prefix + ".vectors"].shape[1])
    if widths and "words.projection.bias" in stored:
        size = len(stored["words.projection.bias"])
        looked_up = stored.get("words.projection.weight", np.zeros((0, size), np.float32))
        parts, start = [], 0
        for width in widths:
            is_folded = width == size
            parts.append(np.eye(size, dtype=np.float32) if is_folded else looked_up[start : start + width].T)
            start += 0 if is_folded else width
        weights["words.projection.weight"] = np.concatenate(parts, axis=1)
        weights["words.projection.bias"] = stored["words.projection.bias"]
    if "words.trained.vectors" in stored:
        weights["words.trained_rows"] = stored["words.trained.rows"]
        weights["words.trained.weight"] = stored["words.trained.vectors"].astype(np.float32)
    return weights


def _characters(stored: Stored) -> dict[str, NDArray[Any]]:
    if "characters.table.0" in stored:
        return _convolution(
            [stored[f"characters.table.{i}"] for i in range(sum("characters.table." in n for n in stored))]
        )
    if "characters.embedding" not in stored:
        return {}
    embedding = stored["characters.embedding"]
    size = stored["characters.forward.R"].shape[2]
    weights = {"characters.embedding.weight": embedding}
    for direction in DIRECTIONS:
        layer = recover_layer(stored, "lstm", (embedding.shape[1], size), name=f"characters.{direction}")
        weights |= {f"characters.{direction}_cell.{key}": array for key, array in layer.items()}
    return weights


def _convolution(tables: list[NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return embedding, filter and bias whose products are the tables (C,F), one a place in the filter.

    Beside each other, the tables without padding are E W + [0 b 0], the bias at the middle place: the differences of
    their rows span W, and the mean row's other places say how much of it is bias.
    """
    middle = len(tables) // 2
    joined = np.concatenate([table[1:] for table in tables], axis=1, dtype=np.float64)  # (C-1, W*F)
    mean = joined.mean(axis=0)
    left, scales, right = np.linalg.svd(joined - mean, full_matrices=False)
    rank = max(1, int((scales > _RANK * max(scales[0], 1e-30)).sum()))
    roots = np.sqrt(scales[:rank])
    filters = roots[:, None] * right[:rank]  # (E, W*F)
    size = tables[0].shape[1]
    is_middle = np.repeat(np.arange(len(tables)) == middle, size)
    shift = np.linalg.lstsq(filters[:, ~is_middle].T, mean[~is_middle], rcond=None)[0]
    embedding = np.concatenate([np.zeros((1, rank)), left[:, :rank] * roots + shift])
    return {
        "characters.embedding.weight": embedding.astype(np.float32),
        "characters.convolution.weight": filters.reshape(rank, len(tables), size).transpose(2, 0, 1).astype(np.float32),
        "characters.convolution.bias": (mean - shift @ filters)[is_middle].astype(np.float32),
    }


def _size_of(weights: Arrays) -> int:
    """Return the size of all features of a word together."""
    if "words.projection.weight" in weights:
        size = len(weights["words.projection.weight"])
    else:
        size = sum(array.shape[1] for name, array in weights.items() if name.endswith(".vectors"))
    size += weights["words.trained.weight"].shape[1] if "words.trained.weight" in weights else 0
    if "characters.convolution.bias" in weights:
        return size + len(weights["characters.convolution.bias"])
    cells = [array for name, array in weights.items() if name.endswith("_cell.weight_hh_l0")]
    return size + sum(array.shape[1] for array in cells)
