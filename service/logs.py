"""Logs: lines on standard error, in gunicorn's format; never a user's text."""

import logging
import sys

FORMAT = "%(asctime)s [%(process)d] [%(levelname)s] %(message)s"
DATE_FORMAT = "[%Y-%m-%d %H:%M:%S %z]"
ACCESS_FORMAT = '%(h)s "%(m)s %(U)s" %(s)s %(B)s bytes %(M)s ms %({x-request-id}o)s'


def set_up_logs(level: str) -> logging.Logger:
    """Send the project's logs to standard error from `level` on and return the logger."""
    logger = logging.getLogger("seqserve")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(FORMAT, DATE_FORMAT))
    logger.handlers = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False
    return logger
