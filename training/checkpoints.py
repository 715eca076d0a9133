"""Files of a run folder, written so that `kill -9` at any moment leaves a whole one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch

from bundle.errors import SeqserveError
from training.config import config_from, config_table
from training.config_kinds import AnyConfig


class RunError(SeqserveError):
    """A run folder that cannot be used; the sentence names it and says why."""


CHECKPOINT = "checkpoint.pt"
CONFIG = "config.json"
EPOCHS = "epochs.jsonl"
MODEL = "model.pt"


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces `path` by `content`, or leaves it as it was."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def save_tensors(path: Path, state: dict[str, Any]) -> None:
    """torch.save, atomically."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    torch.save(state, temporary)
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(path)


def load_tensors(path: Path) -> dict[str, Any]:
    """The inverse of `save_tensors`; tensors and plain values only, no code is run."""
    if not path.exists():
        raise RunError(f"{path}: no such file; the run has not got that far")
    state: dict[str, Any] = torch.load(path, weights_only=True)
    return state


def start_run(folder: Path, config: AnyConfig) -> None:
    """Creates a run folder with the resolved configuration; refuses one that holds a run already."""
    if (folder / CONFIG).exists():
        raise RunError(f"{folder}: holds a run already; continue it with `python -m training resume {folder}`")
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / CONFIG, json.dumps(config_table(config), indent=1, ensure_ascii=False).encode())


def read_run_config(folder: Path) -> AnyConfig:
    try:
        config: AnyConfig = config_from(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
        return config
    except FileNotFoundError:
        raise RunError(f"{folder}: no {CONFIG} in it; not a run folder") from None


def write_epochs(folder: Path, history: list[dict[str, Any]]) -> None:
    """One JSON line per finished epoch."""
    write_atomically(folder / EPOCHS, "".join(json.dumps(line) + "\n" for line in history).encode())
