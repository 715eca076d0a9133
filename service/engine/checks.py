"""Check the bundles of the folders of models: files, checksums, graphs and recorded answers."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from seqserve.errors import BundleError
from seqserve.finding import PassedOver
from seqserve.graph import provider_name
from seqserve.loading import open_bundle
from seqserve.locations import find_models
from seqserve.manifest import MANIFEST_FILE, Manifest, read_manifest, sha256_of, verify_files
from seqserve.service.engine.reports import BundleReport, Checking, Message, Skipped, Stamps


def choose_provider(setting: str) -> str:
    """Return "cpu" or "cuda" for a setting that may be "auto"; raises BundleError when it is not installed."""
    if setting != "auto":
        provider_name(setting)
        return setting
    try:
        provider_name("cuda")
    except BundleError:
        return "cpu"
    return "auto"  # known only once a session was opened, in the worker


def check_bundles(models: Sequence[Path], *, provider: str, known: Sequence[BundleReport] = ()) -> Iterator[Message]:
    """Check every bundle that `find_models` finds, and yield a message for each step.

    With provider "cpu" graphs are opened and run against their recorded answers. With another one only files are
    verified. Bundles that are known and have not changed are not checked again.
    Raises BundleError, which names the file and the reason.
    """
    passed_over: list[PassedOver] = []
    try:
        folders = find_models(models, pass_over=passed_over.append).values()
    finally:
        for each in passed_over:
            yield Skipped(os.fsencode(each.folder), each.reason)
    reports = {report.folder: report for report in known}
    for folder in folders:
        yield Checking(os.fsencode(folder))
        yield _still_known(folder, reports.get(os.fsencode(folder))) or _check(folder, runs=provider == "cpu")


def stamps_of(folder: Path, manifest: Manifest) -> Stamps:
    """Return the stamps of a bundle's files; empty when one is missing."""
    files = [entry.file for entry in (*manifest.graph_files(), manifest.weights)]
    try:
        found = [(folder / file).stat() for file in (MANIFEST_FILE, *files)]
    except OSError:
        return ()
    return tuple((status.st_ino, status.st_ctime_ns) for status in found)


def _still_known(folder: Path, report: BundleReport | None) -> BundleReport | None:
    if report is None or stamps_of(folder, read_manifest(folder)) != report.stamps:
        return None
    return report if _manifest_sha256(folder) == report.manifest_sha256 else None


def _check(folder: Path, *, runs: bool) -> BundleReport:
    sha256 = _manifest_sha256(folder)
    manifest = read_manifest(folder)
    stamps = stamps_of(folder, manifest)
    verify_files(folder, manifest)
    reproducible = open_bundle(folder, manifest).reproducible if runs else manifest.reproducible
    if not stamps or _manifest_sha256(folder) != sha256:
        raise BundleError(f"{folder}: changed while it was checked")
    return BundleReport(
        folder=os.fsencode(folder),
        name=manifest.name,
        version=manifest.version,
        task=manifest.task,
        manifest_sha256=sha256,
        reproducible=reproducible,
        stamps=stamps,
    )


def _manifest_sha256(folder: Path) -> str:
    try:
        return sha256_of(folder / MANIFEST_FILE)
    except OSError as error:
        raise BundleError(f"{folder / MANIFEST_FILE}: cannot be read: {error.strerror}") from error
