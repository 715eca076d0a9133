"""Begin a training with the weights of another one."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from seqserve.errors import SeqserveError
from seqserve.training.checkpoints import RunError
from seqserve.training.config import ConfigError
from seqserve.training.load_config import config_table
from seqserve.training.starts import TASKS, Start, read_start
from seqserve.vocabulary.words import UNKNOWN_ID

_BY_NAME = {"emission.weight": 1, "emission.bias": 1, "crf.start": 1, "crf.transitions": 2, "crf.end": 1}
_BY_NAME |= {"output.weight": 1, "output.bias": 1}
"""Weights of tags or labels, and how many of their axes those are."""


def completed(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration's table with what it leaves to the model that it starts from; raises ConfigError."""
    loop = table.get("loop")
    where = loop.get("start_from") if isinstance(loop, dict) else None
    task = table.get("task", "tag")
    if task not in TASKS or not isinstance(where, str) or not where:
        return dict(table)
    try:
        start = read_start(where)
    except SeqserveError as error:
        raise ConfigError(f"loop.start_from: {error}") from None
    _check_task(start, task)
    filled = _merged(table, start.settings)
    return {**filled, "loop": {**filled["loop"], "start_from": str(start.path.parent)}}


def started(config: Any) -> Start | None:
    """Return what the configuration of a tagger or a classifier starts from, if anything.

    Raises ConfigError, naming the key, for one of another model; RunError, BundleError and ModelNotFoundError.
    """
    if not config.loop.start_from:
        return None
    start = read_start(config.loop.start_from)
    _check(start, config)
    return start


def copy_start(model: nn.Module, start: Start, names: Sequence[str]) -> None:
    """Copy weights into a model whose tags or labels are `names`; new ones keep their first weights.

    Raises RunError for a model of other sizes.
    """
    tables = {name for name, _ in model.named_buffers()}
    given = {name: torch.from_numpy(array) for name, array in start.weights.items() if name not in tables}
    known = {name: place for place, name in enumerate(start.names)}
    pairs = [(place, known[name]) for place, name in enumerate(names) if name in known]
    copy_weights(model, given, pairs=pairs, by_row=_BY_NAME, path=start.path)


def start_notes(start: Start, labels: Sequence[str], tokens: Iterable[str]) -> list[str]:
    """Return a line that says which of the labels are known, and how many of the different tokens are not."""
    known = [label for label in labels if label in start.labels]
    lookup, distinct = start.features().word_vocabulary().lookup, set(tokens)
    num_unknown = sum(lookup(token) == UNKNOWN_ID for token in distinct)
    return [
        f"{start.path.parent}: knows {len(known)} of {len(labels)} labels{': ' * bool(known)}{', '.join(known)}; "
        f"{num_unknown:,} of {len(distinct):,} different tokens of the training files stay <UNK>"
    ]


@torch.no_grad()
def copy_weights(
    model: nn.Module,
    given: Mapping[str, Tensor],
    *,
    pairs: Collection[tuple[int, int]],
    by_row: Mapping[str, int],
    path: Path,
) -> None:
    """Copy weights by their names; of those in `by_row`, the rows that `pairs` names, (own, given).

    `by_row`: how many leading axes go by row. Raises RunError, naming `path`, when a weight differs in name or size.
    """
    weights = dict(model.named_parameters())
    if weights.keys() != given.keys():
        differing = ", ".join(sorted(weights.keys() ^ given.keys()))
        raise RunError(f"{path}: cannot be started from: only one of the models has {differing}")
    own, theirs = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    for name, weight in weights.items():
        axes = by_row.get(name, 0)
        if axes and given[name].shape[axes:] == weight.shape[axes:]:
            weight[np.ix_(*[own] * axes)] = given[name][np.ix_(*[theirs] * axes)]
        elif given[name].shape == weight.shape:
            weight.copy_(given[name])
        else:
            sizes = f"{tuple(given[name].shape)} instead of {tuple(weight.shape)}"
            raise RunError(f"{path}: cannot be started from: {name} is {sizes}")


def _check_task(start: Start, task: str) -> None:
    if task != start.task:
        raise ConfigError(f"loop.start_from: {start.path.parent} is for task = {start.task!r}, not {task!r}")


def _check(start: Start, config: Any) -> None:
    """Raise ConfigError, naming the key, for a configuration of another model."""
    _check_task(start, config.task)
    for key, wanted, given in _differences(start.settings, config_table(config), ""):
        raise ConfigError(
            f"{key} = {given!r} does not fit {start.path.parent}, where it is {wanted!r}; leave it out to take that"
        )


def _merged(given: Mapping[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    """Return tables with the keys of both; those given count."""
    merged = {**default, **given}
    for key in default.keys() & given.keys():
        if isinstance(default[key], Mapping) and isinstance(given[key], Mapping):
            merged[key] = _merged(given[key], default[key])
    return merged


def _differences(wanted: Mapping[str, Any], given: Mapping[str, Any], where: str) -> list[tuple[str, Any, Any]]:
    found: list[tuple[str, Any, Any]] = []
    for key, value in wanted.items():
        if isinstance(value, Mapping):
            found += _differences(value, given[key], f"{where}{key}.")
        elif value != given[key]:
            found.append((where + key, value, given[key]))
    return found
