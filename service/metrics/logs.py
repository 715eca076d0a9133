"""Write logs: sentences on standard error, in gunicorn's format, and a JSON line a request on standard output.

Neither holds anything of a user's text: a line names the route of a request, not its address.

A process has one of each output, so they belong to this module and not to an app. A thread writes them: an output that
is full, closed or unread costs lines, which are counted, and never a request.
"""

import contextlib
import io
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import msgspec

from seqserve.service.metrics.definitions import LogName
from seqserve.service.metrics.line_writer import LineWriter

FLUSH_S = 1.0
"""The longest wait for the last lines at the end of a process."""

FORMAT = "%(asctime)s [%(process)d] [%(levelname)s] %(message)s"
DATE_FORMAT = "[%Y-%m-%d %H:%M:%S %z]"


class AccessLine(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One request that was answered or cancelled; times in milliseconds, `bytes` of the answer's body."""

    time: datetime
    request_id: str
    traceparent: str = ""
    client: str = ""
    method: str
    route: str
    model: str = ""
    status: int
    bytes: int = 0
    queue_ms: float = 0.0
    compute_ms: float = 0.0
    total_ms: float


def set_up_logs(level: str) -> logging.Logger:
    """Send the project's logs to standard error from `level` on and return the logger.

    Output to `sys.stderr` goes the same way from now on.
    """
    _hold_standard_descriptors()
    logger = logging.getLogger("seqserve")
    logger.handlers = [error_handler]
    logger.setLevel(level.upper())
    logger.propagate = False
    sys.stderr = LineStream(_errors, 2)
    return logger


def now() -> datetime:
    """Return the current time of a line."""
    return datetime.now(UTC)


def write_access_line(line: AccessLine) -> None:
    """Queue a line; never waits and never raises."""
    _access.put(msgspec.json.encode(line))


def report_drops(count: Callable[[LogName, int], None]) -> None:
    """Call a function at each loss of lines, with the log and the number of lines."""
    _access.report_drops(partial(count, "access"))
    _errors.report_drops(partial(count, "error"))


def flush(timeout_s: float = FLUSH_S) -> None:
    """Wait until all lines are written or lost, at most `timeout_s` seconds; `logging.shutdown` does the same."""
    until = time.monotonic() + timeout_s
    for writer in (_errors, _access):
        writer.flush(max(0.0, until - time.monotonic()))


def describe_threads() -> str:
    """Return the stack of every thread of this process, for a log. faulthandler would wait for standard error."""
    stacks = [
        f"Thread {number}:\n{''.join(traceback.format_stack(frame))}" for number, frame in sys._current_frames().items()
    ]
    return "\n".join(stacks)


class LineHandler(logging.Handler):
    """Passes records to a writer of lines."""

    def __init__(self, writer: LineWriter) -> None:
        super().__init__()
        self._writer = writer
        self.setFormatter(logging.Formatter(FORMAT, DATE_FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        """Format a record and put it into the queue."""
        try:
            self._writer.put(self.format(record).encode("utf-8", "backslashreplace"))
        except Exception:  # a record that cannot be formatted is reported, not raised, as in every handler
            self.handleError(record)

    def flush(self) -> None:
        """Wait a bounded time for both logs; called by `logging.shutdown`, which is called at exit."""
        flush()


class LineStream(io.TextIOBase):
    """A text stream that passes its lines to a writer."""

    def __init__(self, writer: LineWriter, descriptor: int) -> None:
        self._writer = writer
        self._descriptor = descriptor
        self._begun = ""

    def write(self, text: str) -> int:
        """Queue whole lines and keep the text after the last line break."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            self._writer.put(line.encode("utf-8", "backslashreplace"))
        return len(text)

    def flush(self) -> None:
        """Queue a line that has not ended; does not wait."""
        if self._begun:
            self.write("\n")

    def writable(self) -> bool:
        """Return True: text can be written."""
        return True

    def fileno(self) -> int:
        """Return the descriptor that the lines go to."""
        return self._descriptor


def _hold_standard_descriptors() -> None:
    """Open /dev/null in place of each closed standard stream: another file with its number would get its output.

    The C++ runtime that runs graphs writes to standard error by number.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


# Python has None for a stream that was closed when the process began.
_access = LineWriter(1 if sys.__stdout__ else None, gather_s=0.01, linger_s=60.0)
_errors = LineWriter(2 if sys.__stderr__ else None, max_bytes=1024 * 1024)
error_handler = LineHandler(_errors)
"""Of this project's logger and of gunicorn's."""
