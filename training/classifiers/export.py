"""A classifier's run as a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqserve.text.tokenizers import TOKENIZERS
from seqserve.training.classifiers.bundle import TrainedClassifier, export_classifier
from seqserve.training.classifiers.config import ClassifierConfig
from seqserve.training.export.folder import Card
from seqserve.training.export_sources import attributions, data_sources, plain_card, score_table

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


def export_classifier_run(
    new: Path,
    config: ClassifierConfig,
    state: Mapping[str, Any],
    best: Mapping[str, Any],
    *,
    readme: str | None,
    created: str,
    curves: Path,
) -> None:
    """Writes the bundle `new` of a classifier's run: what model.pt holds, and the line of the epoch it is from."""
    trained = trained_model(config, state)
    train = training_files(config)
    sources = data_sources({"training": train, "choosing the epoch": [file.file for file in config.data.dev]})
    card = Card(
        name=config.name,
        version=config.version,
        created=created,
        description=config.description,
        readme=readme
        if readme is not None
        else plain_card(config, sources, score_table(best, "accuracy", seed=config.seed)),
        licence=config.licence,
        attribution=[*config.attribution, *attributions(train)],
        languages=config.languages,
        metrics={f"dev {name}": {"accuracy": round(value, 4)} for name, value in best["dev"].items()},
        data=sources,
        curves=curves,
    )
    tokenize = TOKENIZERS[config.text.tokenization]
    golden = [[token.text for token in tokenize(text)][: config.text.max_tokens] for text in GOLDEN]
    export_classifier(new, trained, card, golden)


def training_files(config: ClassifierConfig) -> list[str]:
    """What the weights learned from: texts, and vectors of words."""
    return [*(file.file for file in config.data.train), *config.model.words.vectors]


def trained_model(config: ClassifierConfig, state: Mapping[str, Any]) -> TrainedClassifier:
    """What model.pt holds, with what only the configuration knows."""
    return TrainedClassifier(
        weights={name: tensor.numpy() for name, tensor in state["weights"].items()},
        forms=state["forms"],
        characters=state["characters"],
        labels=config.data.labels,
        cell=config.model.cell,
        pooling=config.model.pooling,
        tokenization=config.text.tokenization,
        max_word_chars=config.model.characters.max_word_chars,
        max_tokens=config.text.max_tokens,
    )
