"""Vocabularies and architecture entries that bundles of taggers and classifiers share."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from seqserve.entries import CellName
from seqserve.training.export.weights import Arrays
from seqserve.vocabulary.words import CharacterVocabulary, write_words

WORDS_FILE = "words.txt"
CHARACTERS_FILE = "chars.txt"


def check_vocabularies(weights: Arrays, forms: Sequence[str], characters: Sequence[str]) -> None:
    """Raise ValueError unless forms and characters are in the order of their UTF-8 bytes and fit the weights."""
    for what, entries in (("forms", forms), ("characters", characters)):
        encoded = [entry.encode("utf-8") for entry in entries]
        if any(before >= after for before, after in itertools.pairwise(encoded)):
            raise ValueError(f"{what} are not in the order of their UTF-8 bytes, or one occurs twice")
    sizes = {name: len(rows) for name, rows in weights.items() if name.endswith("rows")}
    for name, size in sizes.items():
        if size != len(forms) + 2:
            raise ValueError(f"{name} maps {size} word ids, but there are {len(forms) + 2} ids")
    embedding = weights.get("characters.embedding.weight")
    if embedding is not None and len(embedding) != len(characters) + 2:
        raise ValueError(
            f"characters.embedding.weight has {len(embedding)} rows, but there are {len(characters) + 2} ids"
        )


def write_vocabularies(folder: Path, forms: Sequence[str], characters: Sequence[str]) -> None:
    """Write words.txt and chars.txt."""
    write_words(folder / WORDS_FILE, forms)
    CharacterVocabulary.from_characters(characters).write(folder / CHARACTERS_FILE)


def reader_architecture(weights: Arrays, cell: CellName) -> dict[str, Any]:
    """Return the manifest's fields of features, recurrent layers and feed-forward layers, read from the weights."""
    kind: Literal["cnn", "lstm", "none"] = "none"
    if "characters.convolution.weight" in weights:
        kind = "cnn"
    elif "characters.embedding.weight" in weights:
        kind = "lstm"
    sizes = [len(array) for name, array in weights.items() if name.startswith("feed_forward.") and array.ndim == 1]
    return {
        "cell": cell,
        "num_layers": len({name.split(".")[2] for name in weights if name.startswith("encoder.layers.")}),
        "hidden_size": weights["encoder.layers.0.forward_cell.weight_hh_l0"].shape[1],
        "bidirectional": "encoder.layers.0.backward_cell.weight_hh_l0" in weights,
        "feed_forward": sizes,
        "characters": kind,
    }
