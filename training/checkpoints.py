"""Files of a run folder, written so that `kill -9` at any moment leaves a whole one."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from seqserve.errors import SeqserveError
from seqserve.training.config_kinds import AnyConfig
from seqserve.training.load_config import config_from, config_table


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
    """The inverse of `save_tensors`; tensors and plain values only, no code is run.

    Raises RunError, naming the file, when it is no file that `save_tensors` wrote, or a damaged one.
    """
    if not path.exists():
        raise RunError(f"{path}: no such file; the run has not got that far")
    if not path.is_file():  # opening a FIFO would wait for ever
        raise RunError(f"{path}: is not a regular file")
    try:
        state = torch.load(path, weights_only=True)
    except Exception as error:  # zip reader and unpickler have no common base but this one
        # Not the reason that torch gives: it advises to allow the file to run code.
        raise RunError(f"{path}: is damaged, or no checkpoint of tensors and plain values") from error
    if not isinstance(state, dict):
        raise RunError(f"{path}: holds a {type(state).__name__} instead of a run's state")
    return state


@contextlib.contextmanager
def must_fit(path: Path) -> Iterator[None]:
    """Turns what goes wrong while a file's state is put to use into a RunError that names the file."""
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise RunError(f"{path}: does not fit the run's configuration: {type(error).__name__}: {reason}") from error


def start_run(folder: Path, config: AnyConfig) -> None:
    """Creates a run folder with the resolved configuration; refuses one that holds a run already."""
    if (folder / CONFIG).exists():
        raise RunError(f"{folder}: holds a run already; continue it with `seqserve train resume {folder}`")
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / CONFIG, json.dumps(config_table(config), indent=1, ensure_ascii=False).encode())


def read_run_config(folder: Path) -> AnyConfig:
    try:
        config: AnyConfig = config_from(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
        return config
    except FileNotFoundError:
        raise RunError(f"{folder}: no {CONFIG} in it; not a run folder") from None
    except (ValueError, RecursionError) as error:  # neither JSON nor, perhaps, UTF-8
        raise RunError(f"{folder / CONFIG}: is no JSON: {error}") from error


def write_epochs(folder: Path, history: list[dict[str, Any]]) -> None:
    """One JSON line per finished epoch."""
    write_atomically(folder / EPOCHS, "".join(json.dumps(line) + "\n" for line in history).encode())
