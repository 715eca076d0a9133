"""A classifier's run as a bundle."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqserve.text.tokenizers import TOKENIZERS
from seqserve.training.classifiers.bundle import TrainedClassifier, export_classifier
from seqserve.training.classifiers.config import ClassifierConfig
from seqserve.training.export.folder import Card
from seqserve.training.export_sources import Results, dev_results, files_of
from seqserve.training.reading.features import forms_of

# Recorded with their answers in every bundle and checked at each load: plain texts, a text of one token, unknown words
# and characters, capitals, a token longer than any limit.
GOLDEN = (
    "The apple and pear salad is not bad at all",
    "where have you been",
    "London",
    "WHAT AN UTTERLY AWFUL FILM",
    "CCAGCTGCATCACAGGAGGCCAGCGAGCAGGTCTGTTCCAAGGGCCTTCGAGCCAGTCTG",
    "Zürich Ωmega 東京 \N{GRINNING FACE} zzqxv " + "a" * 300,
)


sources = files_of


def results(config: ClassifierConfig, line: Mapping[str, Any]) -> Results:
    """Return the results of the weights; `line`: of the epoch that they are from."""
    return dev_results(config, line, "accuracy", "accuracy")


def write(target: Path, config: ClassifierConfig, state: Mapping[str, Any], card: Card, *, replace: bool) -> None:
    """Write the bundle of a run; `state`: what model.pt holds."""
    tokenize = TOKENIZERS[config.text.tokenization]
    golden = [[token.text for token in tokenize(text)][: config.text.max_tokens] for text in GOLDEN]
    export_classifier(target, trained_model(config, state), card, golden, replace=replace)


def trained_model(config: ClassifierConfig, state: Mapping[str, Any]) -> TrainedClassifier:
    """Return what model.pt holds, with what only the configuration knows."""
    return TrainedClassifier(
        weights={name: tensor.numpy() for name, tensor in state["weights"].items()},
        forms=forms_of(state["forms"]),
        characters=state["characters"],
        labels=config.data.labels,
        cell=config.model.cell,
        pooling=config.model.pooling,
        tokenization=config.text.tokenization,
        max_word_chars=config.model.characters.max_word_chars,
        max_tokens=config.text.max_tokens,
    )
