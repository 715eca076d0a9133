"""The reference of every configuration key, docs/configuration.md."""

import dataclasses
import json
import sys
import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from seqserve.training.config import IS_PATH, IS_RUN
from seqserve.training.kinds import CONFIGS

COMMAND = "python -m seqserve.training.reference > docs/configuration.md"

_TITLES = {
    "tag": "Taggers",
    "language-model": "Language models",
    "classify": "Classifiers",
    "transduce": "Encoder-decoders",
    "gradients": "Comparisons of gradients",
}
_HEAD = f"""# Configuration

Every key of the TOML files that `fit` and `gradients` read. Examples are in `training/configs/`.

- `task` is the kind of model; the default is `"tag"`. A key without a default must be given.
- An unknown key, a wrong type and a value out of range are refused before data are read.
- A *file* is `NAME/FILE` of a known data set, below the data folder (`corpora` lists them), or a file of your own. The
  path of an own file is relative to the folder of the TOML file. `./NAME/FILE` is always an own file.
- `--set KEY=VALUE` overrides a key: `--set loop.epochs=3 --set 'model.cell="gru"'`.

This page is generated: `{COMMAND}`.
"""
_NAMES = {str: "text", int: "integer", float: "number", bool: "true or false"}


@dataclasses.dataclass(frozen=True)
class Key:
    """One key of a table."""

    name: str
    type: str
    default: str  # "" where it must be given
    meaning: str


def main() -> int:
    """Print the page."""
    sys.stdout.write(page())
    return 0


def page() -> str:
    """Return docs/configuration.md."""
    parts, seen = [_HEAD], dict[type, str]()
    for task, config in CONFIGS.items():
        parts.append(f'## {_TITLES.get(task, task)}: `task = "{task}"`\n\n{_first_line(config)}\n')
        parts += _sections(config, "", "", (task, seen))
    return "\n".join(parts)


def keys_of(table: type) -> list[Key]:
    """Return the keys of a dataclass that are values; tables have sections of their own."""
    return [
        Key(field.name, _type(hint), _default(field), _meaning(hint))
        for field, hint in _fields(table)
        if _table_of(hint) is None
    ]


def _sections(table: type, where: str, meaning: str, above: tuple[str, dict[type, str]]) -> Iterator[str]:
    """Yield the section of a table and those of the tables in it.

    `above`: the task, and where each table was shown first; it is referred to afterwards.
    """
    task, seen = above
    shown = f"`{where}`" if where else "Top level"
    lead = f"{meaning[:1].upper()}{meaning[1:]}.\n\n" if meaning else ""
    if table in seen:
        yield f"### {shown}\n\n{lead}Keys are those of {seen[table]}.\n"
        return
    seen[table] = f"{shown} of `{task}`"
    keys = keys_of(table)
    text = f"{_first_line(table)}\n\n" if where else ""
    rows = "".join(f"| `{key.name}` | {key.type} | {key.default} | {key.meaning} |\n" for key in keys)
    yield f"### {shown}\n\n{lead}{text}| key | type | default | meaning |\n|---|---|---|---|\n{rows}"
    for field, hint in _fields(table):
        if (inner := _table_of(hint)) is not None:
            name = f"{where.strip('[]')}.{field.name}".lstrip(".")
            is_list = typing.get_origin(_bare(hint)) is tuple
            yield from _sections(inner, f"[[{name}]]" if is_list else f"[{name}]", _meaning(hint), above)


def _fields(table: type) -> list[tuple[Any, Any]]:
    hints = typing.get_type_hints(table, include_extras=True)
    return [(field, hints[field.name]) for field in dataclasses.fields(table)]


def _bare(hint: Any) -> Any:
    """Return an annotation without its notes."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is Annotated else hint


def _table_of(hint: Any) -> type | None:
    """Return the dataclass of a table, or of each table in a list."""
    bare = _bare(hint)
    inner = typing.get_args(bare)[0] if typing.get_origin(bare) is tuple else bare
    return inner if dataclasses.is_dataclass(inner) and isinstance(inner, type) else None


def _type(hint: Any) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return "file" if IS_PATH in arguments else "folder" if IS_RUN in arguments else _type(arguments[0])
    if origin is Literal:
        return ", ".join(f"`{json.dumps(value)}`" for value in arguments)
    if origin is types.UnionType:
        return _type(arguments[0])
    if origin is dict:
        return f"table of {_type(arguments[1])}"
    if origin is tuple:
        is_fixed = Ellipsis not in arguments
        return f"{len(arguments)} numbers" if is_fixed else f"list of {_type(arguments[0])}"
    return _NAMES[hint]


def _default(field: Any) -> str:
    if field.default is dataclasses.MISSING:
        return ""
    return "none" if field.default is None else f"`{json.dumps(field.default, ensure_ascii=False)}`"


def _meaning(hint: Any) -> str:
    """Return the meaning of a key: the last text of its annotation."""
    texts = [each for each in typing.get_args(hint)[1:] if isinstance(each, str)]
    return texts[-1].replace("|", "\\|").replace("<", "&lt;") if texts else ""


def _first_line(table: type) -> str:
    return (table.__doc__ or "").partition("\n")[0]


if __name__ == "__main__":
    sys.exit(main())
