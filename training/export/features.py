"""Word and character features in the graph: look-ups in tables, time-major (T,B,…)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from seqserve.training.export.builder import GraphBuilder
from seqserve.training.export.encoder import add_directions
from seqserve.training.export.weights import Arrays, prefixed

TABLE_DTYPES = ("float16", "float32")
_NO_CHARACTER = -1e30  # below every real feature, and finite after the sums
_PADDING_FEATURE = -1e4  # feature of padding words: as in training; no answer depends on it
_TO_THE_END = int(np.iinfo(np.int64).max)


READER_INPUTS = ("words", "chars", "lengths")
"""Inputs of every graph that reads sentences: (B,T), (B,T,L) and (B,), int32."""


def add_features(graph: GraphBuilder, weights: Arrays, words: str, chars: str, *, table_dtype: str) -> str:
    """Map word ids (B,T) and character ids (B,T,L) -> all features of every token (T,B,E)."""
    by_token = graph.add("Transpose", [words], "words.by_token", perm=[1, 0])  # (T,B)
    chars_by_token = graph.add("Transpose", [chars], "chars.by_token", perm=[1, 0, 2])  # (T,B,L)
    parts = add_word_features(graph, weights, by_token, table_dtype=table_dtype)
    parts += add_character_features(graph, weights, chars_by_token)
    return parts[0] if len(parts) == 1 else graph.add("Concat", parts, "features", axis=2)


def add_word_features(graph: GraphBuilder, weights: Arrays, words: str, *, table_dtype: str) -> list[str]:
    """Add frozen vectors (projected, if the model projects) and trained vectors of word ids (T,B), each (T,B,·)."""
    tables = _tables(prefixed(weights, "words"))
    features = []
    if tables and "words.projection.weight" in weights:
        features.append(_add_projection(graph, weights, tables, (words, table_dtype)))
    else:
        features += [
            _add_table(graph, f"words.tables.{index}", rows, vectors, (words, table_dtype))
            for index, (rows, vectors) in enumerate(tables)
        ]
    if "words.trained.weight" in weights:
        rows, vectors = weights["words.trained_rows"], weights["words.trained.weight"]
        features.append(_add_table(graph, "words.trained", rows, vectors, (words, table_dtype)))
    return features


def _tables(words: Arrays) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    tables: list[tuple[NDArray[Any], NDArray[Any]]] = []
    while f"tables.{len(tables)}.rows" in words:
        prefix = f"tables.{len(tables)}"
        tables.append((words[prefix + ".rows"], words[prefix + ".vectors"]))
    return tables


def _add_projection(
    graph: GraphBuilder,
    weights: Arrays,
    tables: Sequence[tuple[NDArray[Any], NDArray[Any]]],
    source: tuple[str, str],
) -> str:
    """Add the sum of the tables' parts of the projection: look-ups of folded tables, one product for all the others.

    A table is folded, multiplied with its part of the projection, where that makes it no wider.
    """
    projection = weights["words.projection.weight"].astype(np.float32)  # (P, ΣD)
    widths = [vectors.shape[1] for _, vectors in tables]
    parts = np.split(projection, np.cumsum(widths)[:-1], axis=1)
    summands, looked_up, factors = [], [], []
    for index, ((rows, vectors), part) in enumerate(zip(tables, parts, strict=True)):
        is_folded = vectors.shape[1] >= len(projection)
        table = vectors.astype(np.float32) @ part.T if is_folded else vectors
        found = _add_table(graph, f"words.tables.{index}", rows, table, source)
        if is_folded:
            summands.append(found)
        else:
            looked_up.append(found)
            factors.append(part.T)
    if looked_up:
        joined = looked_up[0] if len(looked_up) == 1 else graph.add("Concat", looked_up, "words.vectors", axis=2)
        factor = graph.weight("words.projection.weight", np.concatenate(factors))
        summands.append(graph.add("MatMul", [joined, factor], "words.product"))
    total = graph.weight("words.projection.bias", weights["words.projection.bias"].astype(np.float32))
    for summand in summands:
        total = graph.add("Add", [summand, total], "words.projected")
    return total


def _add_table(
    graph: GraphBuilder, name: str, rows: NDArray[Any], vectors: NDArray[Any], source: tuple[str, str]
) -> str:
    """Add vectors (T,B,D) float32 of word ids (T,B) by way of the row map; rows that no word uses are left out."""
    words, table_dtype = source
    used, compact_rows = np.unique(rows, return_inverse=True)
    row_map = graph.weight(name + ".rows", compact_rows.astype(np.int32).reshape(-1))
    row = graph.add("Gather", [row_map, words], name + ".row")
    return add_lookup(graph, name + ".vectors", vectors[used], row, table_dtype=table_dtype)


def add_lookup(graph: GraphBuilder, name: str, table: NDArray[Any], row: str, *, table_dtype: str) -> str:
    """Add the rows of a table (R,D) as float32; stored as float32 or float16.

    The conversion comes after the look-up: before it, the runtime would convert the whole table when it loads and
    lose the memory mapping.
    """
    if table_dtype not in TABLE_DTYPES:
        raise ValueError(f"table_dtype is {table_dtype!r}, expected one of {', '.join(TABLE_DTYPES)}")
    table = table.astype(np.float32)
    if table_dtype == "float32":
        return graph.add("Gather", [graph.weight(name, table), row], name + ".found")
    found = graph.add("Gather", [graph.weight(name, to_float16(name, table)), row], name + ".half")
    return graph.add("Cast", [found], name + ".found", to=TensorProto.FLOAT)


def to_float16(name: str, table: NDArray[Any]) -> NDArray[np.float16]:
    """Return the table as float16; raises ValueError, naming it, when a value is beyond that."""
    if np.abs(table).max(initial=0) > np.finfo(np.float16).max:
        raise ValueError(f"{name} holds values beyond float16; store it as float32")
    return table.astype(np.float16)


def add_character_features(graph: GraphBuilder, weights: Arrays, chars: str) -> list[str]:
    """Add features (T,B,F) of character ids (T,B,L), of the kind that the weights are for; none without characters."""
    if "characters.convolution.weight" in weights:
        return [_add_character_cnn(graph, weights, chars)]
    if "characters.embedding.weight" in weights:
        return [_add_character_lstm(graph, weights, chars)]
    return []


def _add_character_cnn(graph: GraphBuilder, weights: Arrays, chars: str) -> str:
    """Add a convolution over embedded ids as a sum of look-ups, one table for each offset in the filter.

    Without Conv there is no algorithm to choose by size, so the sums are the same in every batch.
    """
    embedding = weights["characters.embedding.weight"].astype(np.float64).copy()  # (C,E)
    embedding[0] = 0.0
    filters = weights["characters.convolution.weight"].astype(np.float64)  # (F,E,W)
    width = filters.shape[2]
    half = width // 2
    padded = graph.add("Pad", [chars, graph.ints(0, 0, half, 0, 0, half)], "characters.padded") if half else chars
    total = ""
    for offset in range(width):
        table = (embedding @ filters[:, :, offset].T).astype(np.float32)  # (C,F)
        if offset == half:
            table += weights["characters.convolution.bias"]
            table[0] = _NO_CHARACTER  # so the maximum never sees a place without a character
        end = offset - width + 1 or _TO_THE_END
        places = [graph.ints(offset), graph.ints(end), graph.ints(2)]
        shifted = graph.add("Slice", [padded, *places], "characters.shifted")
        found = graph.add("Gather", [graph.weight(f"characters.table.{offset}", table), shifted], "characters.found")
        total = graph.add("Add", [total, found], "characters.sum") if total else found
    best = graph.add("ReduceMax", [total, graph.ints(2)], "characters.best", keepdims=0)  # (T,B,F)
    # Words of the padding have no character at all; they must still be finite numbers.
    return graph.add("Max", [best, graph.scalar(_PADDING_FEATURE, np.float32)], "characters.features")


def _add_character_lstm(graph: GraphBuilder, weights: Arrays, chars: str) -> str:
    """Add the last states of a forward and a backward LSTM over each word's characters; all words are one batch."""
    num_chars = graph.add("Shape", [chars], "characters.num_chars", start=2)
    flat_shape = graph.add("Concat", [graph.ints(-1), num_chars], "characters.flat_shape", axis=0)
    flat = graph.add("Reshape", [chars, flat_shape], "characters.flat")  # (T*B,L)
    is_real = graph.add("Greater", [flat, graph.scalar(0, np.int32)], "characters.is_real")
    ones = graph.add("Cast", [is_real], "characters.ones", to=TensorProto.INT32)
    count = graph.add("ReduceSum", [ones, graph.ints(1)], "characters.count", keepdims=0)
    # A word of the padding is read as one padding character: rows of length 0 are not for this operator.
    lengths = graph.add("Max", [count, graph.scalar(1, np.int32)], "characters.lengths")
    by_position = graph.add("Transpose", [flat], "characters.by_position", perm=[1, 0])  # (L,T*B)
    table = graph.weight("characters.embedding", weights["characters.embedding.weight"].astype(np.float32))
    embedded = graph.add("Gather", [table, by_position], "characters.embedded")  # (L,T*B,E)
    layer = prefixed(weights, "characters")
    ends = add_directions(graph, layer, embedded, lengths, cell="lstm", name="characters")[1]
    states = graph.add("Concat", ends, "characters.states", axis=1)  # (T*B,2H)
    size = layer["forward_cell.weight_hh_l0"].shape[1]
    num_words = graph.add("Shape", [chars], "characters.num_words", end=2)
    shape = graph.add("Concat", [num_words, graph.ints(2 * size)], "characters.shape", axis=0)
    return graph.add("Reshape", [states, shape], "characters.features")
