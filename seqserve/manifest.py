"""Read, write and verify the manifest of a bundle of any task."""

import functools
import hashlib
import operator
import os
import re
from datetime import datetime
from pathlib import Path

import msgspec

from seqserve.entries import Manifest as Manifest
from seqserve.errors import BundleError
from seqserve.external_data import external_files
from seqserve.files import MANIFEST_FILE as MANIFEST_FILE
from seqserve.files import MAX_GRAPH_BYTES, MAX_MANIFEST_BYTES, open_regular, read_file
from seqserve.kinds import KINDS

FORMAT_VERSION = 1
_GRAPH_SUFFIX = ".onnx"

_DECODER = msgspec.json.Decoder(functools.reduce(operator.or_, (kind.manifest for kind in KINDS.values())))
"""Of any manifest; which one the JSON's field `task` says."""


class _Version(msgspec.Struct):
    format_version: int


def read_manifest(folder: str | os.PathLike[str]) -> Manifest:
    """Read a bundle's manifest; raises BundleError when it is missing, malformed or of another format version."""
    path = Path(folder) / MANIFEST_FILE
    return _decoded(read_file(path, max_bytes=MAX_MANIFEST_BYTES), path)


def write_manifest(folder: str | os.PathLike[str], manifest: Manifest) -> None:
    """Write the manifest as indented JSON; raises BundleError when it could not be read back."""
    path = Path(folder) / MANIFEST_FILE
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
    _decoded(content, path)
    path.write_bytes(content)


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file in hexadecimal; raises BundleError when it is not regular or cannot be opened."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify_files(folder: str | os.PathLike[str], manifest: Manifest) -> None:
    """Compare every file with its recorded size and checksum, and see that graphs name no other file.

    Raises BundleError on the first file that differs.
    """
    for entry in manifest.files():
        path = Path(folder) / entry.file
        try:
            if not path.exists():
                raise BundleError(f"{path}: named in {MANIFEST_FILE} but missing")
            # Before the checksum: a device may have no end.
            if not path.is_file():
                raise BundleError(f"{path}: is not a regular file")
            if (size := path.stat().st_size) != entry.bytes:
                raise BundleError(f"{path}: has {size} bytes instead of the {entry.bytes} in {MANIFEST_FILE}")
            found = sha256_of(path)
        except OSError as error:
            raise BundleError(f"{path}: cannot be read: {error.strerror}") from error
        if found != entry.sha256:
            raise BundleError(f"{path}: wrong checksum, sha256 {found} instead of {entry.sha256} in {MANIFEST_FILE}")
    _check_external_data(Path(folder), manifest)


def _check_external_data(folder: Path, manifest: Manifest) -> None:
    """Raise BundleError when a graph reads data from a file whose checksum the manifest does not hold."""
    listed = {entry.file for entry in manifest.files()}
    for entry in manifest.graph_files():
        path = folder / entry.file
        # The runtime takes a file with another suffix for another format, which names its files elsewhere.
        if path.suffix != _GRAPH_SUFFIX:
            raise BundleError(f"{path}: a graph's file name must end in {_GRAPH_SUFFIX}")
        try:
            unlisted = external_files(read_file(path, max_bytes=MAX_GRAPH_BYTES)) - listed
        except ValueError as error:
            raise BundleError(f"{path}: is no ONNX graph: {error}") from error
        if unlisted:
            raise BundleError(f"{path}: reads data from {min(unlisted)!r}, which {MANIFEST_FILE} does not list")


def _decoded(content: bytes, path: Path) -> Manifest:
    try:
        version = msgspec.json.decode(content, type=_Version).format_version
        # Checked first: a later format may have other fields, and the version is the helpful reason.
        if version != FORMAT_VERSION:
            raise BundleError(f"{path}: format version {version} is unknown, this release reads {FORMAT_VERSION}")
        manifest: Manifest = _DECODER.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = re.sub(r"\s+", " ", str(error))
        raise BundleError(f"{path}: {reason}") from error
    try:
        datetime.fromisoformat(manifest.created)
    except ValueError as error:
        raise BundleError(f"{path}: created is {manifest.created!r} instead of a date") from error
    return manifest
