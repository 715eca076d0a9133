"""Files of a run folder, written so that `kill -9` at any moment leaves them whole."""

import contextlib
import json
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from seqserve.errors import SeqserveError, UsageError
from seqserve.training.atomic import replacing, write_atomically
from seqserve.training.config import TrainingConfig
from seqserve.training.load_config import config_from, config_table


class RunError(SeqserveError):
    """A run folder that cannot be used; the sentence names it and says why."""


CHECKPOINT = "checkpoint.pt"
CONFIG = "config.json"
EPOCHS = "epochs.jsonl"
MODEL = "model.pt"

_LONGEST_REASON = 300  # characters


def save_tensors(path: Path, state: dict[str, Any]) -> None:
    """Write a state with torch.save, atomically."""
    with replacing(path) as file:
        torch.save(state, file)


def load_tensors(path: Path) -> dict[str, Any]:
    """Read what `save_tensors` wrote; tensors and plain values only, no code is run.

    Raises RunError, naming the file, when it is missing or damaged.
    """
    if not path.exists():
        raise RunError(f"{path}: no such file; the run has not saved it yet")
    if not path.is_file():  # opening a FIFO would wait for ever
        raise RunError(f"{path}: is not a regular file")
    try:
        state = torch.load(path, weights_only=True)
    except Exception as error:  # zip reader and unpickler have no common base but this one
        # Not the reason that torch gives: it advises to allow the file to run code.
        raise RunError(f"{path}: is damaged, or not a checkpoint of tensors and plain values") from error
    if not isinstance(state, dict):
        raise RunError(f"{path}: holds a {type(state).__name__} instead of a run's state")
    return state


@contextlib.contextmanager
def must_fit(path: Path) -> Iterator[None]:
    """Turn an error in the use of a file's state into a RunError that names the file."""
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError, RuntimeError) as error:
        reason = textwrap.shorten(str(error), _LONGEST_REASON, placeholder=" …")  # torch lists every weight
        raise RunError(f"{path}: does not fit the run's configuration: {type(error).__name__}: {reason}") from error


@contextlib.contextmanager
def in_one_sentence(path: Path) -> Iterator[None]:
    """Turn errors of the machine or of torch (memory, disk, permission) into a RunError."""
    try:
        yield
    except MemoryError as error:
        raise RunError(f"{path}: there is not enough memory") from error
    except OSError as error:
        raise RunError(f"{error.filename or path}: {error.strerror or error}") from error
    except RuntimeError as error:
        if "allocate memory" in str(error):
            raise RunError(f"{path}: there is not enough memory; a smaller loop.batch_size needs less") from error
        raise RunError(f"{path}: torch has stopped: {str(error).strip().partition(chr(10))[0]}") from error


@contextlib.contextmanager
def started_run(folder: Path, config: TrainingConfig) -> Iterator[None]:
    """Create a run folder with the resolved configuration; take back all of it when the block does not come to its end.

    Raises RunError for a folder that holds a run already, UsageError for a file.
    """
    if (folder / CONFIG).exists():
        raise RunError(f"{folder}: holds a run already; continue it with `seqserve train resume {folder}`")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file; a run needs a folder")
    own = set(folder.iterdir()) if folder.exists() else None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / CONFIG, json.dumps(config_table(config), indent=1, ensure_ascii=False).encode())
        yield
    except BaseException:  # Ctrl-C too: a corpus may take minutes to read
        for path in [folder] if own is None else set(folder.iterdir()) - own:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        raise


def read_run_config(folder: Path) -> TrainingConfig:
    try:
        config = config_from(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(f"{folder}: there is no {CONFIG} in it; not a run folder") from None
    except (ValueError, RecursionError) as error:  # neither JSON nor, perhaps, UTF-8
        raise RunError(f"{folder / CONFIG}: is not JSON: {error}") from error
    if not isinstance(config, TrainingConfig):
        raise RunError(f"{folder / CONFIG}: is not the configuration of a training")
    return config


def write_epochs(folder: Path, history: list[dict[str, Any]]) -> None:
    """Write one JSON line per finished epoch."""
    write_atomically(folder / EPOCHS, "".join(json.dumps(line) + "\n" for line in history).encode())
