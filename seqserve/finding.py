"""Find the bundles below a folder of models, <name>/<version>/ each, and say which folders are passed over."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seqserve.errors import BundleError
from seqserve.manifest import MANIFEST_FILE, Manifest, read_manifest

_NO_MODELS = frozenset({"lost+found", "__MACOSX"})
"""Folders that file systems and archives leave behind. A name with a leading dot is hidden, and not seen either."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A folder that is not served, with the reason: the rest of a sentence that begins with the folder."""

    folder: Path
    reason: str

    def __str__(self) -> str:
        """Return the sentence, without a full stop."""
        return f"{self.folder} is passed over: {self.reason}"


def find_bundles(
    models_dir: str | os.PathLike[str], *, pass_over: Callable[[PassedOver], object] | None = None
) -> list[Path]:
    """Return the newest version's folder of every model below models/<name>/<version>/, by name.

    Versions are compared part by part: digits that stand together are a number, so 10 is newer than 9, and a number is
    newer than anything else, so 2026-11-28 is newer than v3. A folder whose manifest has another
    name or version than the folder itself is passed over. A folder whose manifest cannot be read is returned: loading
    it raises the error that says why.
    """
    tell = pass_over or (lambda folder: None)
    found = [newest_version(folder, tell) for folder in _folders(Path(models_dir), tell)]
    return [folder for folder in found if folder is not None]


def newest_version(model: Path, tell: Callable[[PassedOver], object]) -> Path | None:
    """Return the newest version below a model's folder, as `find_bundles` does; None where there is none."""
    versions = [folder for folder in _folders(model, tell) if os.path.lexists(folder / MANIFEST_FILE)]
    for folder in sorted(versions, key=lambda version: _natural(version.name), reverse=True):
        try:
            manifest = read_manifest(folder)
        except BundleError:
            return folder
        if reason := mismatch(folder, manifest):
            tell(PassedOver(folder, reason))
        else:
            return folder
    return None


def mismatch(folder: Path, manifest: Manifest) -> str:
    """Say how a manifest disagrees with a folder that is NAME/VERSION; nothing when it does not."""
    name, version = Path(os.path.abspath(folder)).parts[-2:]
    if manifest.name != name:
        return f"its manifest has the name {manifest.name!r} instead of {name!r}"
    if manifest.version != version:
        return f"its manifest has the version {manifest.version!r} instead of {version!r}"
    return ""


def _folders(parent: Path, tell: Callable[[PassedOver], object]) -> list[Path]:
    """Return the folders in a folder by name, links to folders too."""
    try:
        with os.scandir(parent) as entries:
            names = [entry.name for entry in entries if _is_folder(entry)]
    except FileNotFoundError:
        return []
    except OSError as error:
        tell(PassedOver(parent, f"it cannot be read: {error.strerror}"))
        return []
    return [parent / name for name in sorted(names) if not name.startswith(".") and name not in _NO_MODELS]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _natural(version: str) -> list[tuple[int, str]]:
    parts = re.findall(r"[0-9]+|[^0-9]+", version)
    return [(int(part), "") if "0" <= part[0] <= "9" else (-1, part) for part in parts]
