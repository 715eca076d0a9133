"""Bundles checked once before workers are forked, and opened again in each worker."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from bundle.entries import GraphEntry
from bundle.errors import BundleError
from bundle.graph import Graph, provider_name
from bundle.load import Bundle, find_bundles, load_bundle, verify_bundle
from bundle.manifest import MANIFEST_FILE, Manifest, read_manifest, verify_files
from service.engine.models import Model, QueueLimits, SlotLimits, model_of

logger = logging.getLogger("seqserve")


@dataclass(frozen=True, slots=True)
class Closed:
    """What workers share of a bundle: all but the sessions, which must be made after the fork.

    parts, graphs: the bundle's fields, those that are graphs as what they were opened from.
    """

    kind: type[Any]
    parts: dict[str, Any]
    graphs: dict[str, GraphEntry]

    @classmethod
    def of(cls, bundle: Bundle) -> "Closed":
        """Take an open bundle apart."""
        values = {each.name: getattr(bundle, each.name) for each in fields(bundle)}
        graphs = {name: value.spec for name, value in values.items() if isinstance(value, Graph)}
        parts = {name: value for name, value in values.items() if name not in graphs}
        return cls(type(bundle), parts, graphs)

    def open(self, folder: Path) -> Bundle:
        """Open the graphs again; their weights are mapped from the file, so this takes milliseconds."""
        graphs = {name: Graph.open(folder / entry.file, entry) for name, entry in self.graphs.items()}
        bundle: Bundle = self.kind(**self.parts, **graphs)
        return bundle


@dataclass(frozen=True, slots=True)
class Checked:
    """A bundle that passed its checks in this process or its parent; `closed` is the bundle without a session.

    stamps: of its files when they were checked, none when that was not asked for.
    """

    folder: Path
    manifest: Manifest
    closed: Closed | None
    stamps: list[tuple[int, int]] = field(default_factory=list)

    @property
    def is_unchanged(self) -> bool:
        """Whether the files are still those that were checked, as far as their stamps tell."""
        return bool(self.stamps) and self.stamps == _stamps(self.folder, self.manifest)


def check_bundles(models: Path, *, provider: str, known: Mapping[str, Checked] | None = None) -> list[Checked]:
    """Check every bundle of a folder (or the one bundle that it is) but those that are known and have not changed.

    With provider "cpu" the graphs are run against their recorded answers here, once for all workers; with another one
    only files are verified here, because a GPU's state does not survive a fork.
    Raises BundleError: one sentence that names the file and says why.
    """
    folders = [models] if (models / MANIFEST_FILE).is_file() else find_bundles(models)
    if not folders:
        raise BundleError(f"{models}: holds no bundle, none of <name>/<version>/{MANIFEST_FILE} is there")
    checked: dict[str, Checked] = {}
    for folder in folders:
        item = _known(folder, known or {}) or _check(folder, opens=provider == "cpu")
        name = item.manifest.name
        if name in checked:
            raise BundleError(f"{folder}: names its model {name!r} as {checked[name].folder} does")
        checked[name] = item
    return list(checked.values())


def choose_provider(setting: str) -> str:
    """Return "cpu" or "cuda" for a setting that may be "auto"; raises BundleError when it is not there at all."""
    if setting != "auto":
        provider_name(setting)
        return setting
    try:
        provider_name("cuda")
    except BundleError:
        return "cpu"
    return "auto"  # known only once a session was opened, in the worker


def open_model(checked: Checked, provider: str, queue: QueueLimits, slots: SlotLimits | None = None) -> Model:
    """Open a checked bundle in the process that serves it; "auto" falls back to the CPU.

    A run on another provider waits for its device, and so is never made in the loop.

    Raises BundleError, also when a file is no longer what was checked: a worker that replaces a dead one long after the
    start would else answer with another's weights.
    """
    if provider == "cpu" and checked.closed is not None:
        if not checked.is_unchanged:
            verify_files(checked.folder, checked.manifest)
        bundle = checked.closed.open(checked.folder)
    else:
        bundle, provider = load_on(checked.folder, provider)
    if provider != "cpu":
        queue = queue._replace(quick_run_s=0.0)
    return model_of(bundle, provider, queue, slots)


def load_on(folder: Path, provider: str) -> tuple[Bundle, str]:
    """Load a bundle and say where it runs; "auto" falls back to the CPU. Raises BundleError."""
    if provider == "auto":
        try:
            return load_bundle(folder, provider="cuda"), "cuda"
        except BundleError as error:
            logger.warning("not on cuda: %s", error)
            provider = "cpu"
    return load_bundle(folder, provider=provider), provider


def _known(folder: Path, known: Mapping[str, Checked]) -> Checked | None:
    return next((item for item in known.values() if item.folder == folder and item.is_unchanged), None)


def _check(folder: Path, *, opens: bool) -> Checked:
    stamps = _stamps(folder, read_manifest(folder))
    if not opens:
        return Checked(folder, verify_bundle(folder), None, stamps)
    bundle = load_bundle(folder)
    return Checked(folder, bundle.manifest, Closed.of(bundle), stamps)


def _stamps(folder: Path, manifest: Manifest) -> list[tuple[int, int]]:
    """Inode and time of change of the manifest and of each file that a worker opens; empty when one is missing."""
    files = [entry.file for entry in (*manifest.graph_files(), manifest.weights)]
    try:
        found = [(folder / file).stat() for file in (MANIFEST_FILE, *files)]
    except OSError:
        return []
    return [(status.st_ino, status.st_ctime_ns) for status in found]
