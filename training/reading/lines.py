"""Lines of text files, plain or packed."""

import contextlib
import gzip
import io
import lzma
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from seqserve.errors import SeqserveError
from seqserve.text_files import BYTE_ORDER_MARK, fault_of_beginning, fault_of_only_line

_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open}


class TextError(SeqserveError):
    """A text file that cannot be read; the sentence names the file and, where there is one, the line."""


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 file, plain, .gz or .xz, in NFC, without their LF or CRLF; raises TextError.

    A byte order mark is no part of the first. Only LF ends a line: tokens of real text hold U+2028, U+0085 and other
    characters that `splitlines` cuts at.
    """
    return map(composed, read_raw_lines(path))


def read_raw_lines(path: Path) -> Iterator[str]:
    """Yield the lines as `read_lines` does, but in the code points of the file, which offsets count."""
    with _reading(path) as file:
        for number, line in enumerate(file, 1):
            if number == 1 and not line.endswith(b"\n"):
                _check(path, fault_of_only_line(line))
            yield _decoded(path, line, number).removesuffix("\n").removesuffix("\r")


def read_raw_text(path: Path) -> str:
    """Return the whole text of a UTF-8 file, plain, .gz or .xz, without its byte order mark; raises TextError."""
    with _reading(path) as file:
        content = file.read()
    _check(path, fault_of_only_line(content))
    return _decoded(path, content, 1)


def composed(text: str) -> str:
    """Return a text in NFC, the form in which words are learned and looked up."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[IO[bytes]]:
    """Open a file at the first byte of its text; raises TextError, also while it is read."""
    try:
        with _open(path) as file:
            beginning = file.peek(1)
            _check(path, fault_of_beginning(beginning))
            if beginning.startswith(BYTE_ORDER_MARK):
                file.read(len(BYTE_ORDER_MARK))
            yield file
    except FileNotFoundError:
        raise TextError(f"{path}: there is no such file") from None
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise TextError(f"{path}: cannot be read: {error}") from error


def _check(path: Path, fault: str | None) -> None:
    if fault:
        raise TextError(f"{path}: {fault}")


def _decoded(path: Path, data: bytes, number: int) -> str:
    """Decode what begins at that line; raises TextError, naming line and byte."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        *lines, before = data[: error.start].split(b"\n")
        line = number + len(lines)
        raise TextError(f"{path}, line {line}: byte {len(before) + 1} is not UTF-8") from error


def _open(path: Path) -> io.BufferedReader:
    """Open a file for reading bytes, unpacked where its name ends in .gz or .xz."""
    unpacked = _OPENERS.get(path.suffix)
    return io.BufferedReader(unpacked(path, "rb")) if unpacked else path.open("rb")
