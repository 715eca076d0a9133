"""A folder of bundles for a fault run: copies, so that new versions can be put beside them."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from seqserve.errors import SeqserveError
from seqserve.loading import find_bundles
from seqserve.manifest import read_manifest, write_manifest

DEFAULT_NAMES = ("ner-en", "question-en", "lm-char-names")


def make_models_folder(folder: Path, models: Path, names: Sequence[str] = DEFAULT_NAMES) -> Path:
    """Copy the newest version of the named bundles into `folder`; raises SeqserveError when one is missing."""
    newest = {bundle.parent.name: bundle for bundle in find_bundles(models)}
    for name in names:
        if name not in newest:
            raise SeqserveError(f"{models}: it holds no bundle of the name {name}")
        _copy(newest[name], folder / name / newest[name].name)
    return folder


def add_version(models: Path, name: str, version: str, *, spoil: Callable[[Path], None] | None = None) -> Path:
    """Put a copy of a model's newest version beside it, under another version; return its folder.

    spoil: changes the copy's folder first. The copy appears under its name as a whole: a server that looks meanwhile
    does not see half of it.
    """
    (newest,) = (bundle for bundle in find_bundles(models) if bundle.parent.name == name)
    unfinished = models / name / f".{version}"
    _copy(newest, unfinished)
    write_manifest(unfinished, msgspec.structs.replace(read_manifest(unfinished), version=version))
    if spoil is not None:
        spoil(unfinished)
    return unfinished.rename(models / name / version)


def flip_a_byte(folder: Path) -> None:
    """Spoil a bundle: its weights no longer fit their checksum."""
    weights = folder / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)


def remove_version(folder: Path) -> None:
    """Take a version away; servers that have it open keep it."""
    shutil.rmtree(folder)


def _copy(source: Path, target: Path) -> None:
    # Copies are written files: a shipped bundle may be read-only, and must not change with its copy.
    shutil.copytree(source, target, copy_function=shutil.copyfile)
