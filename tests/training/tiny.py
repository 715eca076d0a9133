"""A training small enough for a test: twenty sentences, a few thousand weights."""

from pathlib import Path
from typing import Any

from seqserve.training.load_config import config_from
from seqserve.training.taggers.config import TaggerConfig

FIXTURES = Path(__file__).parent.parent / "fixtures" / "train"


def tiny_config(**changes: Any) -> TaggerConfig:
    """`changes` replace whole tables at the top level, or merge into them when they are tables."""
    table: dict[str, Any] = {
        "name": "tiny",
        "version": "1",
        "description": "twenty sentences",
        "licence": "MIT",
        "data": {
            "labels": ["PER", "ORG", "LOC"],
            "train": [{"file": str(FIXTURES / "twenty.conll")}],
            "dev": [{"file": str(FIXTURES / "twenty.conll")}],
        },
        "model": {
            "hidden_size": 12,
            "num_layers": 1,
            "words": {
                "vectors": [str(FIXTURES / "vectors.txt")],
                "trained_dim": 8,
                "min_count": 1,
                "projection_dim": 6,
            },
            "characters": {"embedding_dim": 6, "size": 8, "min_count": 1, "max_word_chars": 12},
            "dropout": {"input": 0.1, "hidden": 0.1, "output": 0.1},
        },
        "optimizer": {"learning_rate": 0.02},
        "loop": {"epochs": 4, "batch_size": 4, "average_decay": 0.9, "threads": 1},
    }
    for key, value in changes.items():
        table[key] = {**table.get(key, {}), **value} if isinstance(value, dict) else value
    return config_from(table)
