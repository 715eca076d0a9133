"""From TOML to the configuration of one training."""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from seqserve.training.config import ConfigError
from seqserve.training.config_kinds import CONFIG_KINDS


def load_config(path: str | Path, changes: Sequence[str] = ()) -> Any:
    """Reads and checks a TOML file; which dataclass it becomes, `seqserve.training.config_kinds` says.

    `changes`: KEY=VALUE in place of what the file says, keys dotted, values as in TOML or else plain strings.
    Raises ConfigError for a missing file, bad TOML, an unknown or missing key, a wrong type or value.
    """
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    for change in changes:
        _apply(table, change)
    try:
        return config_from(table)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _apply(table: dict[str, Any], change: str) -> None:
    """Put the value of KEY=VALUE into a table; raises ConfigError when it is no such thing."""
    dotted, separator, text = change.partition("=")
    *tables, key = dotted.strip().split(".")
    if not separator or not key:
        raise ConfigError(f"--set {change}: is not of the form KEY=VALUE")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    for name in tables:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise ConfigError(f"--set {change}: {name} is no table")
    table[key] = value


def config_from(table: dict[str, Any]) -> Any:
    """The configuration that a plain table (from TOML or JSON) describes; its `task` says of which kind."""
    if not isinstance(table, dict):
        raise ConfigError(f"a configuration is a table, not {type(table).__name__}")
    task = table.get("task", "tag")
    if task not in CONFIG_KINDS:
        raise ConfigError(f"task = {task!r} is none of {', '.join(CONFIG_KINDS)}")
    return _build(CONFIG_KINDS[task], table, "")


def config_table(config: Any) -> dict[str, Any]:
    """The inverse of `config_from`: every key with its resolved value."""
    return dataclasses.asdict(config)


def _build(kind: Any, value: Any, where: str) -> Any:
    """`value` as an instance of the annotation `kind`; `where` is the dotted key for errors."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _build_table(kind, value, where)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _build(next(a for a in arguments if a is not type(None)), value, where)
    if origin is Literal:
        if value not in arguments:
            raise ConfigError(f"{where} = {value!r} is none of {', '.join(map(repr, arguments))}")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ConfigError(f"{where} must be a list")
        return tuple(_build(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            raise ConfigError(f"{where} must be a table")
        return {str(key): _build(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ConfigError(f"{where} = {value!r} must be of type {kind.__name__}")
    return value


def _build_table(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise ConfigError(f"{where or 'the file'} must be a table")
    hints = typing.get_type_hints(kind)
    dotted = {name: f"{where}.{name}" if where else name for name in [*hints, *value]}
    for name in value:
        if name not in hints:
            raise ConfigError(f"unknown key {dotted[name]}; known here: {', '.join(hints)}")
    for f in dataclasses.fields(kind):
        if f.name not in value and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise ConfigError(f"missing key {dotted[f.name]}")
    return kind(**{name: _build(hints[name], item, dotted[name]) for name, item in value.items()})
