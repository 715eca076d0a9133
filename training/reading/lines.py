"""Lines of text files, plain or packed."""

import gzip
import io
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from seqserve.errors import SeqserveError

_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open}


class TextError(SeqserveError):
    """A text file that cannot be read; the sentence names the file and, where there is one, the line."""


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 file, plain, .gz or .xz, without their LF or CRLF; raises TextError.

    Only LF ends a line: tokens of real text hold U+2028, U+0085 and other characters that `splitlines` cuts at.
    """
    try:
        with _open(path) as file:
            for number, line in enumerate(file, 1):
                try:
                    yield line.decode("utf-8").removesuffix("\n").removesuffix("\r")
                except UnicodeDecodeError as error:
                    raise TextError(f"{path}, line {number}: byte {error.start + 1} is not UTF-8") from error
    except FileNotFoundError:
        raise TextError(f"{path}: there is no such file") from None
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise TextError(f"{path}: cannot be read: {error}") from error


def _open(path: Path) -> IO[bytes]:
    """Open a file for reading bytes, unpacked where its name ends in .gz or .xz."""
    unpacked = _OPENERS.get(path.suffix)
    return io.BufferedReader(unpacked(path, "rb")) if unpacked else path.open("rb")
