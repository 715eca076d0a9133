"""Read the configuration of one training from TOML."""

import contextlib
import copy
import dataclasses
import os
import tomllib
import types
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from seqserve.errors import UsageError
from seqserve.training.config import IS_PATH, IS_RUN, ConfigError
from seqserve.training.corpora import is_own
from seqserve.training.kinds import CONFIGS
from seqserve.training.reading.lines import TextError, read_raw_text


def load_config(
    path: str | Path,
    changes: Sequence[str] = (),
    *,
    complete: Callable[[dict[str, Any]], dict[str, Any]] = dict,
) -> Any:
    """Read and check a TOML file; its `task` says which dataclass it becomes (`seqserve.training.kinds`).

    `changes`: KEY=VALUE in place of what the file says, keys dotted, values as in TOML or plain strings. Paths of
    own files are relative to the file's folder, and absolute in what is returned. `complete`: adds to the table what it
    leaves out. Raises ConfigError for a file that
    cannot be read, bad TOML, an unknown or missing key, a wrong type or value; UsageError when it is one of the
    changes.
    """
    path = Path(path)
    try:
        table = tomllib.loads(read_raw_text(path))
    except TextError as error:
        raise ConfigError(str(error)) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    changed = copy.deepcopy(table)
    for change in changes:
        _apply(changed, change)
    try:
        return config_from(complete(changed), folder=path.parent)
    except ConfigError as error:
        if changes:
            with contextlib.suppress(ConfigError):
                config_from(complete(table), folder=path.parent)
                raise UsageError(f"{path} with {', '.join(changes)}: {error}") from None
        raise ConfigError(f"{path}: {error}") from None


def _apply(table: dict[str, Any], change: str) -> None:
    """Put the value of KEY=VALUE into a table; raises UsageError when it has another form."""
    dotted, separator, text = change.partition("=")
    *tables, key = dotted.strip().split(".")
    if not separator or not key:
        raise UsageError(f"--set {change}: is not of the form KEY=VALUE")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    for name in tables:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise UsageError(f"--set {change}: {name} is not a table")
    table[key] = value


def config_from(table: dict[str, Any], *, folder: Path | None = None) -> Any:
    """Return the configuration that a plain table (from TOML or JSON) describes; `task` says of which kind.

    `folder`: the paths of own files are relative to it; None: they stay as they are.
    """
    if not isinstance(table, dict):
        raise ConfigError(f"a configuration is a table, not {type(table).__name__}")
    task = table.get("task", "tag")
    if task not in CONFIGS:
        raise ConfigError(f"task = {task!r} is none of {', '.join(CONFIGS)}")
    return _Builder(folder).build(CONFIGS[task], table, "")


def config_table(config: Any) -> dict[str, Any]:
    """Return the inverse of `config_from`: every key with its resolved value."""
    return dataclasses.asdict(config)


@dataclasses.dataclass(frozen=True)
class _Builder:
    """Makes dataclasses of tables; the paths of own files are relative to `folder`; None: they stay as they are."""

    folder: Path | None

    def build(self, kind: Any, value: Any, where: str) -> Any:
        """Return `value` as an instance of the annotation `kind`; `where` is the dotted key for errors."""
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin is Annotated:
            built = self.build(arguments[0], value, where)
            return self._absolute(built, arguments[1:]) if self.folder is not None and built else built
        if dataclasses.is_dataclass(kind):
            return self._build_table(kind, value, where)
        if origin in (typing.Union, types.UnionType):
            return None if value is None else self.build(arguments[0], value, where)
        if origin is Literal:
            if value not in arguments:
                raise ConfigError(f"{where} = {value!r} is none of {', '.join(map(repr, arguments))}")
            return value
        if origin is tuple:
            if not isinstance(value, list | tuple):
                raise ConfigError(f"{where} must be a list")
            return tuple(self.build(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(value))
        if origin is dict:
            if not isinstance(value, dict):
                raise ConfigError(f"{where} must be a table")
            return {str(key): self.build(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ConfigError(f"{where} = {value!r} must be of type {kind.__name__}")
        return value

    def _build_table(self, kind: Any, value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise ConfigError(f"{where or 'the file'} must be a table")
        fields = {field.name: field for field in dataclasses.fields(kind)}
        dotted = {name: f"{where}.{name}" if where else name for name in [*fields, *value]}
        for name in value:
            if name not in fields:
                raise ConfigError(f"unknown key {dotted[name]}; known here: {', '.join(fields)}")
        for name, field in fields.items():
            if name not in value and field.default is field.default_factory is dataclasses.MISSING:
                raise ConfigError(f"missing key {dotted[name]}")
        hints = typing.get_type_hints(kind, include_extras=True)
        return kind(**{name: self.build(hints[name], item, dotted[name]) for name, item in value.items()})

    def _absolute(self, value: Any, notes: tuple[object, ...]) -> Any:
        """Return the absolute path of an own file or a run folder; anything else stays as it is."""
        if IS_RUN in notes:
            return os.path.abspath(value)
        if IS_PATH in notes and is_own(value):
            return os.path.abspath((self.folder or Path()) / value)
        return value
