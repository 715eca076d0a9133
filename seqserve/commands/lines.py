"""Answer the lines of a file in order; a line that cannot be answered has an error in its place.

Files are read in large groups of lines. A pipe or a terminal is answered whenever its input pauses.
"""

import argparse
import contextlib
import os
import select
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, TypeVar

import msgspec

from seqserve.errors import InvalidRequestError, RequestError, SeqserveError, UsageError
from seqserve.text_files import BYTE_ORDER_MARK, fault_of_beginning, fault_of_only_line

PAUSE_S = 0.05
"""Lines are answered once no input has come for this long, in seconds."""

_LINES = 256
"""Lines that are worked on together: enough to find rows of like length, few enough to stream."""

_BYTES = 256 * 1024
"""Beyond this many bytes fewer lines are taken together, so that long lines do not fill the memory."""

_READ_BYTES = 64 * 1024

Row = TypeVar("Row")


class InputError(SeqserveError):
    """A file cannot be read or written, or a line of it cannot be answered; the message names it."""


class _Blank:
    """A line that holds nothing to answer."""


def add_file_flags(parser: argparse.ArgumentParser, file_help: str) -> None:
    """Add the flags of a command that answers lines."""
    parser.add_argument("file", metavar="FILE", help=f'{file_help}; "-" reads standard input')
    parser.add_argument("--output", default="-", metavar="FILE", help="file for the answers (default standard output)")
    parser.add_argument("--strict", action="store_true", help="stop at the first line that cannot be answered")


def json_error(reason: str) -> bytes:
    """Return the line that stands for an answer that cannot be given."""
    return msgspec.json.encode({"error": reason}) + b"\n"


def answer_lines(
    given: argparse.Namespace,
    read: Callable[[str], Row],
    answer: Callable[[list[Row]], Iterable[bytes | RequestError]],
    *,
    blank: bytes | None = b"\n",
    failed: Callable[[str], bytes] = json_error,
    end: Callable[[], bytes] = bytes,
) -> int:
    """Answer the lines of a file, in order; return the exit status, 1 when a line was not answered.

    given: what `add_file_flags` reads. read: makes a row of a line; raises RequestError. answer: answers rows, each
    with its end of line. blank: what a line without text is answered with; None if it is a text like any other.
    failed: what is written in the place of a line without an answer. end: what follows the last line.
    Raises UsageError when the output is the input; InputError, with `--strict` also for the first line that cannot be
    answered.
    """
    num_lines = num_failed = first_failed = 0
    with _opened_files(given) as (source, target):
        for lines in _groups(source, given.file):
            rows = [_row(line, read, is_text=blank is None) for line in lines]
            answers = iter(answer([row for row in rows if not isinstance(row, RequestError | _Blank)]))
            for row in rows:
                num_lines += 1
                if isinstance(row, _Blank):
                    found: bytes | RequestError = blank or b""
                else:
                    found = row if isinstance(row, RequestError) else next(answers)
                if isinstance(found, bytes):
                    target.write(found)
                    continue
                if given.strict:
                    target.flush()
                    raise InputError(f"{given.file}, line {num_lines}: {_sentence(found)}")
                num_failed, first_failed = num_failed + 1, first_failed or num_lines
                target.write(failed(_sentence(found)))
            target.flush()
        target.write(end())
        target.flush()
    if not num_failed:
        return 0
    verb = "was" if num_failed == 1 else "were"
    count = f"{num_failed} of {num_lines} lines {verb} not answered, the first of them line {first_failed}"
    print(f"seqserve: {count}.", file=sys.stderr)
    return 1


def _sentence(error: RequestError) -> str:
    """Return why a line has no answer; of an error about the whole text, without the place of it."""
    is_of_text = len(error.fields) == 1 and error.fields[0].pointer.split("/")[:2] in ([""], ["", "text"])
    return error.fields[0].detail if is_of_text else error.detail


def _row(line: bytes, read: Callable[[str], Row], *, is_text: bool) -> Row | RequestError | _Blank:
    try:
        text = line.decode("utf-8").removesuffix("\r")
    except UnicodeDecodeError as error:
        return InvalidRequestError(f"Byte {error.start + 1} is not UTF-8.")
    if not is_text and not text.strip():
        return _Blank()
    try:
        return read(text)
    except RequestError as error:
        return error


def _groups(source: BinaryIO, name: str) -> Iterator[list[bytes]]:
    """Yield lines without their ends in groups, smaller ones when the input pauses.

    The first is without the byte order mark. Raises InputError for UTF-16, and for CR as the only end of lines.
    """
    for number, (lines, is_ended) in enumerate(_raw_groups(source)):
        if number == 0:
            fault = fault_of_beginning(b"\n".join(lines))
            if not fault and not is_ended and len(lines) == 1:
                fault = fault_of_only_line(lines[0])
            if fault:
                raise InputError(f"{name}: {fault}.")
            lines[0] = lines[0].removeprefix(BYTE_ORDER_MARK)
        yield lines


def _raw_groups(source: BinaryIO) -> Iterator[tuple[list[bytes], bool]]:
    """Yield groups of lines, and whether an LF ends the last of them."""
    is_ready = _readiness(source)
    lines: list[bytes] = []
    begun: list[bytes] = []  # a line whose end has not come yet
    num_bytes = 0
    with _progress(source) as advance:
        while True:
            if lines and not is_ready(1000 * PAUSE_S):
                yield lines, True
                lines, num_bytes = [], 0
            data = os.read(source.fileno(), _READ_BYTES)
            if not data:
                break
            advance(len(data))
            first, *others = data.split(b"\n")
            begun.append(first)
            for other in others:
                lines.append(b"".join(begun))
                num_bytes += len(lines[-1])
                begun = [other]
                if len(lines) == _LINES or num_bytes >= _BYTES:
                    yield lines, True
                    lines, num_bytes = [], 0
    last = b"".join(begun)
    if lines or last:
        yield ([*lines, last], False) if last else (lines, True)


def _readiness(source: BinaryIO) -> Callable[[float], object]:
    """Return what waits for input, at most some milliseconds, and says whether it has come."""
    if not hasattr(select, "poll"):  # Windows, where pauses are not seen
        return lambda timeout_ms: True
    poll = select.poll()
    poll.register(source, select.POLLIN)
    return poll.poll


@contextlib.contextmanager
def _opened_files(given: argparse.Namespace) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    with contextlib.ExitStack() as stack:
        source = _opened(given.file, "rb", getattr(sys.stdin, "buffer", None), stack)
        _check_output(given.output, source)
        yield source, _opened(given.output, "wb", getattr(sys.stdout, "buffer", None), stack)


def _check_output(name: str, source: BinaryIO) -> None:
    """Refuse to write where the lines come from: opening the output would empty it before a line is read."""
    with contextlib.suppress(FileNotFoundError):
        status = os.stat(name)
        if stat.S_ISREG(status.st_mode) and os.path.samestat(status, os.fstat(source.fileno())):
            raise UsageError(f"--output {name} is the input file: it would be emptied before it is read.")


def _opened(name: str, mode: str, standard: BinaryIO | None, stack: contextlib.ExitStack) -> BinaryIO:
    if name == "-":
        if standard is None:
            raise InputError(f"standard {'input' if mode == 'rb' else 'output'} is closed.")
        return standard
    try:
        return stack.enter_context(open(name, mode))  # type: ignore[return-value]
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}.") from error


@contextlib.contextmanager
def _progress(source: BinaryIO) -> Iterator[Callable[[int], object]]:
    """Show progress in bytes when standard error is a terminal and the input is not."""
    if source.isatty() or not (sys.stderr and sys.stderr.isatty()):
        yield lambda num_bytes: None
        return
    from tqdm import tqdm  # late: most runs have no terminal

    status = os.fstat(source.fileno())
    size = status.st_size if stat.S_ISREG(status.st_mode) else None
    with tqdm(total=size, unit="B", unit_scale=True, unit_divisor=1024, desc="read") as bar:
        yield bar.update
