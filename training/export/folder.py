"""The parts that all bundles' folders share; a folder is there whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from seqserve.entries import DataSource, FileEntry, GoldenEntry, GraphEntry, VocabularyEntry
from seqserve.loading import load_bundle
from seqserve.manifest import FORMAT_VERSION, Manifest, sha256_of, write_manifest
from seqserve.signature import Signature

WEIGHTS_FILE = "weights.safetensors"
GOLDEN_FILE = "golden.json"
CARD_FILE = "README.md"
CURVES_FILE = "curves.png"

UNKNOWN_YET = GoldenEntry(file=GOLDEN_FILE, sha256="0" * 64, bytes=0, tolerance=0.0)
"""Stands in a manifest while the answers are being recorded."""


AnyManifest = TypeVar("AnyManifest", bound=Manifest)


@dataclass(frozen=True, kw_only=True)
class Card:
    """Manifest fields of the same names, the model card's text and the training curves."""

    name: str
    version: str
    created: str
    description: str
    readme: str
    licence: str
    attribution: Sequence[str] = ()
    languages: Sequence[str] = ("en",)
    producer: str = "seqserve"
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    data: Sequence[DataSource] = ()
    curves: Path | None = None


@contextmanager
def new_folder(folder: Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a folder to write into, which becomes `folder` when nothing was raised and is gone otherwise.

    Raises FileExistsError when `folder` is there already and is not to be replaced.
    """
    if folder.exists() and not replace:
        raise FileExistsError(f"{folder} exists already")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        work = Path(temporary) / "bundle"
        work.mkdir()
        yield work
        if folder.exists():
            os.rename(folder, Path(temporary) / "replaced")
        os.rename(work, folder)


def file_entry(folder: Path, name: str) -> FileEntry:
    """Return the manifest's entry of a file as it is now."""
    return FileEntry(file=name, sha256=sha256_of(folder / name), bytes=(folder / name).stat().st_size)


def vocabulary_entry(folder: Path, name: str, size: int) -> VocabularyEntry:
    """Return the manifest's entry of a vocabulary's file as it is now."""
    return VocabularyEntry(**msgspec.structs.asdict(file_entry(folder, name)), size=size)


def graph_entry(folder: Path, name: str, signature: Signature) -> GraphEntry:
    """Return the manifest's entry of a graph's file as it is now."""
    inputs, outputs = signature
    return GraphEntry(**msgspec.structs.asdict(file_entry(folder, name)), inputs=inputs, outputs=outputs)


def finish(folder: Path, manifest: AnyManifest, golden: msgspec.Struct, *, tolerance: float = 1e-3) -> AnyManifest:
    """Write recorded answers and the manifest, and load the bundle to find out whether its answers are reproducible.

    `tolerance`: how far probabilities may differ from the recorded ones on another machine. Returns the manifest as it
    was written. Raises BundleError when the bundle does not load.
    """
    (folder / GOLDEN_FILE).write_bytes(msgspec.json.encode(golden) + b"\n")
    entry = GoldenEntry(**msgspec.structs.asdict(file_entry(folder, GOLDEN_FILE)), tolerance=tolerance)
    manifest = msgspec.structs.replace(manifest, golden=entry)
    write_manifest(folder, manifest)
    if not load_bundle(folder).reproducible:
        manifest = msgspec.structs.replace(manifest, reproducible=False)
        write_manifest(folder, manifest)
    return manifest


def write_card(folder: Path, card: Card) -> None:
    """Write the model card, and the curves if there are any."""
    (folder / CARD_FILE).write_text(card.readme, encoding="utf-8", newline="\n")
    if card.curves is not None:
        shutil.copyfile(card.curves, folder / CURVES_FILE)


def common_fields(folder: Path, card: Card) -> dict[str, Any]:
    """Return the fields that every manifest has, as arguments of its constructor; the golden entry is not known yet."""
    return {
        "format_version": FORMAT_VERSION,
        "name": card.name,
        "version": card.version,
        "created": card.created,
        "producer": card.producer,
        "description": card.description,
        "languages": list(card.languages),
        "weights": file_entry(folder, WEIGHTS_FILE),
        "metrics": {name: dict(values) for name, values in card.metrics.items()},
        "data": list(card.data),
        "licence": card.licence,
        "attribution": list(card.attribution),
        "golden": UNKNOWN_YET,
        "reproducible": True,
        "extra_files": [file_entry(folder, name) for name in (CARD_FILE, CURVES_FILE) if (folder / name).exists()],
    }
