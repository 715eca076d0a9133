"""An encoder-decoder's training small enough for a test: the pairs of the fixtures, a few thousand weights."""

from pathlib import Path
from typing import Any

from seqserve.training.load_config import config_from
from seqserve.training.transducers.config import TransducerConfig
from tests.fixtures.make_tiny_transducer import PAIRS


def tiny_transducer_config(folder: Path, **changes: Any) -> TransducerConfig:
    """Writes the pairs into `folder`; `changes` merge into tables as `tiny_config` does."""
    pairs = folder / "pairs.tsv"
    pairs.write_text(PAIRS.replace("|", "\t"), encoding="utf-8")
    table: dict[str, Any] = {
        "task": "transduce",
        "name": "tiny-translate",
        "version": "1",
        "description": "23 pairs",
        "licence": "MIT",
        "languages": ["en", "fr"],
        "data": {"train": [{"file": str(pairs)}], "valid": [{"file": str(pairs)}]},
        "source": {"tokenization": "seqserve-en-1", "lookup": ["exact", "lower"], "max_tokens": 12},
        "target": {"tokenization": "seqserve-fr-1"},
        "model": {
            "embedding_dim": 8,
            "tied": True,
            "encoder": {"hidden_size": 6},
            "decoder": {"hidden_size": 12},
            "dropout": {"input": 0.1, "hidden": 0.1, "output": 0.1, "recurrent": 0.1},
        },
        "optimizer": {"learning_rate": 0.02, "clip_norm": 1.0},
        "loop": {"epochs": 3, "batch_size": 8, "average_decay": 0.9, "threads": 1},
    }
    for key, value in changes.items():
        table[key] = {**table.get(key, {}), **value} if isinstance(value, dict) else value
    config = config_from(table)
    assert isinstance(config, TransducerConfig)
    return config
