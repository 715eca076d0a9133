"""A language model small enough for a test: a few sentences of our own, a few thousand weights."""

from pathlib import Path
from typing import Any

from seqserve.training.language.config import LanguageConfig
from seqserve.training.load_config import config_from

SENTENCES = (
    "the cat sat on the mat",
    "the cats sat on the mats",
    "a cat was full",
    "the cats were full",
    "the apple and the pear were on the mat",
    "a dog saw the cat",
)


def tiny_language_config(folder: Path, **changes: Any) -> LanguageConfig:
    """Writes the text into `folder`; `changes` merge into tables as `tiny_config` does."""
    text = folder / "text.txt"
    text.write_text("\n".join(SENTENCES * 4) + "\n", encoding="utf-8")
    table: dict[str, Any] = {
        "task": "language-model",
        "name": "tiny-lm",
        "version": "1",
        "description": "six sentences",
        "licence": "MIT",
        "data": {"train": [{"file": str(text)}], "valid": [{"file": str(text), "distinct": True}]},
        "text": {"unit": "line"},
        "model": {
            "embedding_dim": 8,
            "hidden_size": 12,
            "dropout": {"input": 0.1, "output": 0.1, "recurrent": 0.2, "embedding": 0.1},
        },
        "optimizer": {"learning_rate": 0.02, "warmup": 0.1},
        "loop": {
            "total_tokens": 600,
            "evaluate_every_tokens": 200,
            "batch_size": 4,
            "bptt_length": 5,
            "average_decay": 0.9,
            "threads": 1,
        },
    }
    for key, value in changes.items():
        table[key] = {**table.get(key, {}), **value} if isinstance(value, dict) else value
    config = config_from(table)
    assert isinstance(config, LanguageConfig)
    return config
