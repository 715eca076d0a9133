"""Precision, vocabularies and word vectors from a configuration; checks of the data that taggers and others share."""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence

import torch

from seqserve.training.config import ConfigError, ReaderConfig, StepConfig
from seqserve.training.corpora import data_path
from seqserve.training.reading.dataset import Surfaces
from seqserve.training.reading.features import Features, build_features
from seqserve.training.reading.vectors import PACKAGE_PREFIX, load_vectors
from seqserve.training.starts import Start

EVALUATION_BATCH = 64


def prepare_features(
    model: ReaderConfig, *, learned: Sequence[Sequence[str]], others: Sequence[Sequence[str]], start: Start | None
) -> tuple[Features, Surfaces]:
    """Return the vocabularies of a start, else from the tokens that are learned from; and all tokens' surface forms."""
    if start is not None:
        features = start.features()
    else:
        sources = [name if name.startswith(PACKAGE_PREFIX) else data_path(name) for name in model.words.vectors]
        every = (token for tokens in learned for token in tokens)
        features = build_features(every, list(map(load_vectors, sources)), model.words, model.characters)
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


def check_dev(file: str, labels: Sequence[str], *, found: Collection[str], held: Collection[str]) -> None:
    """Raise ConfigError for a dev file with none of the labels; `found`: those that it has, `held`: as written."""
    if not found:
        raise ConfigError(
            f"{file}: holds no span of {', '.join(labels)} and can choose no epoch; it holds "
            f'{", ".join(sorted(held)) or "no label"}; `map` renames a file\'s labels, loop.keep = "last" chooses none'
        )


def notes_of_dropped(what: str, counts: Counter[str]) -> list[str]:
    """Return a line that says which labels of the files are dropped and how often, if any are."""
    shown = ", ".join(f"{label} ({count:,} times)" for label, count in counts.most_common())
    return [f"{what}: {shown}"] * bool(counts)


def notes_of_repeated(unit: str, train: Iterable[Hashable], dev: Mapping[str, Sequence[Hashable]]) -> list[str]:
    """Return lines that say how many training examples repeat others, and how many of each dev file are among them.

    `dev`: examples by the name of the file; `unit`: what an example is.
    """
    counts = Counter(train)
    repeated = counts.total() - len(counts)
    notes = [f"training files: {repeated:,} of {counts.total():,} {unit} repeat another one"] * bool(repeated)
    for name, examples in dev.items():
        if known := sum(example in counts for example in examples):
            notes.append(f"{name}: {known:,} of {len(examples):,} {unit} are in the training files too")
    return notes


def precision_of(loop: StepConfig) -> torch.dtype:
    """Return the number type of the products of recurrent layers in training."""
    return torch.bfloat16 if loop.precision == "bf16" else torch.float32
