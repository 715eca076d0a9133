"""Bundles that were checked, perhaps by another process, and are opened in each worker."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from seqserve.bundle import Bundle, BundleParts
from seqserve.errors import BundleError
from seqserve.kinds import kind_of
from seqserve.loading import open_bundle
from seqserve.manifest import MANIFEST_FILE, Manifest, read_manifest, sha256_of, verify_files
from seqserve.service.engine.checks import stamps_of
from seqserve.service.engine.reports import BundleReport

logger = logging.getLogger("seqserve")


@dataclass(frozen=True, slots=True)
class Checked:
    """A bundle that passed its checks; `parts` is what workers share of it.

    report: what the check found; None for a model that no check has seen.
    """

    folder: Path
    manifest: Manifest
    parts: BundleParts[Any] | None
    report: BundleReport | None = None

    @property
    def is_unchanged(self) -> bool:
        """Whether the files are still those that were checked, as far as their stamps tell."""
        return self.report is not None and self.report.stamps == stamps_of(self.folder, self.manifest)


def take_reported(reports: Iterable[BundleReport], known: Mapping[str, Checked] | None = None) -> list[Checked]:
    """Decide what is served: exactly what was reported, and as it was when it was checked.

    No graph is opened here. Known bundles whose report is the same are returned as they are.
    Raises BundleError when a manifest or a vocabulary is no longer the file that was checked.
    """
    before = {} if known is None else {item.report: item for item in known.values() if item.report is not None}
    return [before.get(report) or _read(report) for report in reports]


def open_checked(checked: Checked, provider: str) -> tuple[Bundle, str]:
    """Open a checked bundle in the process that serves it and return where it runs; "auto" falls back to the CPU.

    Raises BundleError, also when a file is no longer what was checked: a worker that replaces a dead one long after the
    start would else answer with another's weights.
    """
    if not checked.is_unchanged:
        verify_files(checked.folder, checked.manifest)
    if provider == "cpu" and checked.parts is not None:
        return checked.parts.open(checked.folder), provider
    # Where the files were not run yet, their answers are compared.
    if provider == "auto":
        try:
            return open_bundle(checked.folder, checked.manifest, provider="cuda"), "cuda"
        except BundleError as error:
            logger.warning("not on cuda: %s", error)
            provider = "cpu"
    return open_bundle(checked.folder, checked.manifest, provider=provider), provider


def _read(report: BundleReport) -> Checked:
    folder = report.path
    manifest_path = folder / MANIFEST_FILE
    _compare(manifest_path, report.manifest_sha256)
    manifest = read_manifest(folder)
    checksums = {manifest_path: report.manifest_sha256}
    checksums |= {folder / entry.file: entry.sha256 for entry in msgspec.structs.astuple(manifest.vocabularies)}
    # Before, so that nothing else is read; and after, because a file may have changed meanwhile.
    for path, sha256 in checksums.items():
        _compare(path, sha256)
    parts = kind_of(manifest).read_parts(folder, manifest).with_reproducible(report.reproducible)
    for path, sha256 in checksums.items():
        _compare(path, sha256)
    return Checked(folder, manifest, parts, report)


def _compare(path: Path, sha256: str) -> None:
    try:
        is_same = path.is_file() and sha256_of(path) == sha256
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror}") from error
    if not is_same:
        raise BundleError(f"{path}: has changed since it was checked")
