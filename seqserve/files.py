"""Read files that are not trusted: only regular ones, and only up to a limit."""

import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import TypeVar

import msgspec

from seqserve.errors import BundleError

MANIFEST_FILE = "manifest.json"
MAX_MANIFEST_BYTES = 16 * 1024 * 1024
MAX_GOLDEN_BYTES = 64 * 1024 * 1024
MAX_VOCABULARY_BYTES = 256 * 1024 * 1024
MAX_GRAPH_BYTES = 2**31 - 1  # protobuf's own limit

_T = TypeVar("_T")


def open_regular(path: str | os.PathLike[str]) -> BufferedReader:
    """Open a regular file for reading; raises BundleError, naming the file, when it is none or cannot be read."""
    try:
        # O_NONBLOCK: opening a FIFO without a writer would otherwise never return.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BundleError(f"{path}: is not a regular file")
    return open(descriptor, "rb")


def read_file(path: str | os.PathLike[str], *, max_bytes: int) -> bytes:
    """Return the content of a regular file.

    Raises BundleError, naming the file, when it is not regular, cannot be read or has more than `max_bytes`.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > max_bytes:
            raise BundleError(f"{path}: has {size} bytes, more than the {max_bytes} that are read")
        try:
            return file.read(size)
        except OSError as error:
            raise BundleError(f"{path}: cannot be read: {error.strerror}") from error


def read_json(path: Path, kind: type[_T], *, max_bytes: int = MAX_GOLDEN_BYTES) -> _T:
    """Return a JSON file as a struct of `kind`; raises BundleError, naming the file, when it is malformed."""
    content = read_file(path, max_bytes=max_bytes)
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(f"{path}: {error}") from error
