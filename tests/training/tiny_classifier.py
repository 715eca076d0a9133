"""A classifier small enough for a test: twenty sentences, a few thousand weights."""

from typing import Any

from seqserve.training.classifiers.config import ClassifierConfig
from seqserve.training.load_config import config_from
from tests.training.tiny import FIXTURES

QUESTIONS = FIXTURES / "questions.tsv"


def tiny_classifier_config(**changes: Any) -> ClassifierConfig:
    """`changes` replace whole tables at the top level, or merge into them when they are tables."""
    table: dict[str, Any] = {
        "task": "classify",
        "name": "tiny-classifier",
        "version": "1",
        "description": "questions and statements",
        "licence": "MIT",
        "data": {
            "labels": ["statement", "question"],
            "train": [{"file": str(QUESTIONS)}],
            "dev": [{"file": str(QUESTIONS)}],
        },
        "text": {"max_tokens": 12},
        "model": {
            "hidden_size": 12,
            "num_layers": 1,
            "words": {"trained_dim": 8, "min_count": 1},
            "characters": {"embedding_dim": 6, "size": 8, "min_count": 1, "max_word_chars": 12},
            "dropout": {"input": 0.1, "hidden": 0.1, "output": 0.1},
        },
        "optimizer": {"learning_rate": 0.02},
        "loop": {"epochs": 4, "batch_size": 4, "average_decay": 0.9, "threads": 1},
    }
    for key, value in changes.items():
        table[key] = {**table.get(key, {}), **value} if isinstance(value, dict) else value
    config = config_from(table)
    assert isinstance(config, ClassifierConfig)
    return config
