"""Precision, vocabularies and word vectors from a configuration."""

from collections.abc import Collection, Sequence

import torch

from seqserve.training.config import ConfigError, ReaderConfig, StepConfig
from seqserve.training.corpora import data_path
from seqserve.training.reading.dataset import Surfaces
from seqserve.training.reading.features import Features, build_features
from seqserve.training.reading.vectors import PACKAGE_PREFIX, load_vectors

EVALUATION_BATCH = 64


def prepare_features(
    model: ReaderConfig, *, learned: Sequence[Sequence[str]], others: Sequence[Sequence[str]]
) -> tuple[Features, Surfaces]:
    """Return vocabularies from the tokens that are learned from, and the surface forms of all of them."""
    features = build_features(
        (token for tokens in learned for token in tokens),
        [load_vectors(name if name.startswith(PACKAGE_PREFIX) else data_path(name)) for name in model.words.vectors],
        model.words,
        model.characters,
    )
    surfaces = Surfaces(
        (token for tokens in (*learned, *others) for token in tokens),
        features.word_vocabulary(),
        features.characters,
        max_word_chars=model.characters.max_word_chars,
    )
    return features, surfaces


def check_labels(labels: Sequence[str], learned: Collection[str], held: Collection[str]) -> None:
    """Raise ConfigError for a label that is never learned from; `held`: those of the training files as written."""
    if absent := [label for label in labels if label not in learned]:
        raise ConfigError(
            f"data.labels: {', '.join(absent)} never occurs in the training files, which hold "
            f"{', '.join(sorted(held)) or 'no label'}; `map` renames a file's labels"
        )


def precision_of(loop: StepConfig) -> torch.dtype:
    """Return the number type of the products of recurrent layers in training."""
    return torch.bfloat16 if loop.precision == "bf16" else torch.float32
