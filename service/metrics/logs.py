"""Logs: sentences on standard error, in gunicorn's format, and one JSON line a request on standard output.

Neither holds anything of a user's text: a request is told by its route, never by its address.
"""

import logging
import os
import sys
from datetime import UTC, datetime

import msgspec

FORMAT = "%(asctime)s [%(process)d] [%(levelname)s] %(message)s"
DATE_FORMAT = "[%Y-%m-%d %H:%M:%S %z]"


class AccessLine(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One request that was answered or given up; times in milliseconds, `bytes` of the answer's body."""

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
    """Send the project's logs to standard error from `level` on and return the logger."""
    logger = logging.getLogger("seqserve")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(FORMAT, DATE_FORMAT))
    logger.handlers = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False
    return logger


def now() -> datetime:
    """Return the time of a line."""
    return datetime.now(UTC)


def write_access_line(line: AccessLine) -> None:
    """Write a line, all of it at once: processes that share the output do not mix theirs."""
    os.write(sys.stdout.fileno(), msgspec.json.encode(line) + b"\n")
