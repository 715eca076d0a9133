"""Verify a bundle's folder, open it, and check that it gives its recorded answers."""

import os
from pathlib import Path
from typing import Any, overload

from seqserve.errors import BundleError
from seqserve.finding import find_bundles as find_bundles
from seqserve.graph import provider_name
from seqserve.kind import Bundle as Bundle
from seqserve.kind import BundleT
from seqserve.kinds import KINDS, kind_of
from seqserve.manifest import MANIFEST_FILE, Manifest, read_manifest, verify_files
from seqserve.parts import BundleParts


def verify_bundle(folder: str | os.PathLike[str]) -> Manifest:
    """Check manifest, files and checksums without opening a graph; raises BundleError."""
    manifest = read_manifest(folder)
    verify_files(folder, manifest)
    return manifest


@overload
def load_bundle(folder: str | os.PathLike[str], *, provider: str = "cpu") -> Bundle: ...


@overload
def load_bundle(folder: str | os.PathLike[str], expected: type[BundleT], *, provider: str = "cpu") -> BundleT: ...


def load_bundle(
    folder: str | os.PathLike[str], expected: type[Bundle] | None = None, *, provider: str = "cpu"
) -> Bundle:
    """Verify and open a bundle and compare its answers with the recorded ones.

    Raises BundleError, one sentence that names the file and says why, also when it is not `expected`, such as
    TaggerBundle. A row that changes with its batch is no error: the bundle then says `reproducible=False`.
    """
    provider_name(provider)
    manifest = verify_bundle(folder)
    if expected is not None and not issubclass(kind_of(manifest).bundle, expected):
        [wanted] = [kind.task for kind in KINDS.values() if kind.bundle is expected]
        path = Path(folder) / MANIFEST_FILE
        raise BundleError(f"{path}: its task is {manifest.task!r} instead of {wanted!r}")
    return open_bundle(Path(folder), manifest, provider=provider)


def open_bundle(root: Path, manifest: Manifest, *, provider: str = "cpu") -> Bundle:
    """Open a bundle whose files were verified and compare its answers with the recorded ones; raises BundleError."""
    bundle: Bundle = kind_of(manifest).open(root, manifest, provider=provider)
    return bundle


def read_parts(root: Path, manifest: Manifest) -> BundleParts[Any]:
    """Read what a bundle holds beside its graphs, without opening one; raises BundleError."""
    return kind_of(manifest).read_parts(root, manifest)
