"""Read, write and verify the manifest of a bundle, whatever its task."""

import hashlib
import os
import re
from datetime import datetime
from pathlib import Path

import msgspec

from bundle.classifier_manifest import ClassifierManifest
from bundle.errors import BundleError
from bundle.language_manifest import LanguageModelManifest
from bundle.tagger_manifest import TaggerManifest
from bundle.transducer_manifest import TransducerManifest

FORMAT_VERSION = 1
MANIFEST_FILE = "manifest.json"

Manifest = TaggerManifest | LanguageModelManifest | ClassifierManifest | TransducerManifest
"""Any bundle's manifest; which one the JSON's field `task` says."""


class _Version(msgspec.Struct):
    format_version: int


def read_manifest(folder: str | os.PathLike[str]) -> Manifest:
    """Read a bundle's manifest; raises BundleError when it is missing, malformed or of another format version."""
    path = Path(folder) / MANIFEST_FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror}") from error
    return _decoded(content, path)


def write_manifest(folder: str | os.PathLike[str], manifest: Manifest) -> None:
    """Write the manifest as indented JSON; raises BundleError when it could not be read back."""
    path = Path(folder) / MANIFEST_FILE
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
    _decoded(content, path)
    path.write_bytes(content)


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify_files(folder: str | os.PathLike[str], manifest: Manifest) -> None:
    """Compare every file with its recorded size and checksum; raises BundleError on the first that differs."""
    for entry in manifest.files():
        path = Path(folder) / entry.file
        try:
            size = path.stat().st_size if path.is_file() else None
            if size is None:
                raise BundleError(f"{path}: named in {MANIFEST_FILE} but missing")
            if size != entry.bytes:
                raise BundleError(f"{path}: has {size} bytes instead of the {entry.bytes} in {MANIFEST_FILE}")
            found = sha256_of(path)
        except OSError as error:
            raise BundleError(f"{path}: cannot be read: {error.strerror}") from error
        if found != entry.sha256:
            raise BundleError(f"{path}: wrong checksum, sha256 {found} instead of {entry.sha256} in {MANIFEST_FILE}")


def _decoded(content: bytes, path: Path) -> Manifest:
    try:
        version = msgspec.json.decode(content, type=_Version).format_version
        # Looked at first: a later format may well have other fields, and its version is the reason worth telling.
        if version != FORMAT_VERSION:
            raise BundleError(f"{path}: format version {version} is unknown, this release reads {FORMAT_VERSION}")
        manifest: Manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = re.sub(r"\s+", " ", str(error))
        raise BundleError(f"{path}: {reason}") from error
    try:
        datetime.fromisoformat(manifest.created)
    except ValueError as error:
        raise BundleError(f"{path}: created is {manifest.created!r} instead of a date") from error
    return manifest
