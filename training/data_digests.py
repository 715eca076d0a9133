"""Checksums of the files that a run reads: a resumed run must read the same."""

import dataclasses
import hashlib
import json
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from seqserve.training.atomic import write_atomically
from seqserve.training.checkpoints import RunError
from seqserve.training.config import IS_PATH
from seqserve.training.corpora import CorporaError, data_path, find_corpus, is_known, sha256_of
from seqserve.training.reading.lines import TextError
from seqserve.training.reading.vectors import PACKAGE_PREFIX, vector_files
from seqserve.training.starts import start_file

DIGESTS = "data.json"


def write_digests(folder: Path, config: Any) -> None:
    """Write the checksums of a configuration's files into its run folder."""
    write_atomically(folder / DIGESTS, json.dumps(digests_of(config), indent=1, ensure_ascii=False).encode())


def check_digests(folder: Path, config: Any) -> None:
    """Raise RunError, naming it, for a file that has changed since the run began; a file that is gone is passed over.

    A language model needs its files no more, and every other kind says itself that one is missing.
    """
    written = read_digests(folder)
    for name, digest in digests_of(config).items():
        if written.get(name, digest) != digest:
            raise RunError(
                f"{name}: has changed since the run in {folder} began; put it back as it was, or begin a new run"
            )


def read_digests(folder: Path) -> Mapping[str, str]:
    """Return the checksums by the files' names in the configuration; none for a run that wrote none."""
    try:
        digests = json.loads((folder / DIGESTS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError) as error:
        raise RunError(f"{folder / DIGESTS}: is not JSON: {error}") from error
    if not isinstance(digests, dict):
        raise RunError(f"{folder / DIGESTS}: is no table of checksums")
    return digests


def digests_of(config: Any) -> dict[str, str]:
    """Return the hexadecimal sha256 of each file that a run needs; of a folder, that of its files' sums."""
    digests: dict[str, str] = {}
    for name in (*named_files(config), *start_file(config)):
        if name not in digests and (sums := _sums_of(name)):
            digests[name] = sums[0] if len(sums) == 1 else hashlib.sha256("\n".join(sums).encode()).hexdigest()
    return digests


def named_files(table: Any) -> Iterator[str]:
    """Yield every file that a configuration, or a table of it, names."""
    hints = typing.get_type_hints(type(table), include_extras=True)
    for field in dataclasses.fields(table):
        yield from _marked(hints[field.name], getattr(table, field.name))


def _marked(hint: Any, value: Any) -> Iterator[str]:
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is Annotated:
        if IS_PATH not in arguments:
            yield from _marked(arguments[0], value)
        elif value:
            yield value
    elif dataclasses.is_dataclass(value):
        yield from named_files(value)
    elif isinstance(value, tuple):
        for item in value:
            yield from _marked(arguments[0], item)


def _sums_of(name: str) -> list[str]:
    """Return the sha256 of each file behind a name; those of a known data set are checked where it is read."""
    if is_known(name):
        return [
            file.sha256
            for file in find_corpus(name.split("/")[0]).files
            if name in (file.path.split("/")[0], file.path)
        ]
    try:
        path = name if name.startswith(PACKAGE_PREFIX) else data_path(name)
        files = vector_files(path) or sorted(file for file in Path(path).rglob("*") if file.is_file())
        return [sha256_of(file) for file in files]
    except (CorporaError, TextError, OSError):  # where the file is read, a sentence says what is wrong with it
        return []
