"""gunicorn's log, written as the project's own is: a standard error that nobody reads must not stop the master."""

import logging
from typing import Any

from gunicorn.glogging import Logger

from seqserve.service.metrics.logs import error_handler


class ErrorLog(Logger):  # type: ignore[misc]
    """gunicorn's log of errors; it has no log of requests."""

    def setup(self, cfg: Any) -> None:
        """Take the level that is configured and the handler of this process."""
        self.cfg = cfg
        self.loglevel = self.LOG_LEVELS.get(cfg.loglevel.lower(), logging.INFO)
        self.error_log.setLevel(self.loglevel)
        self.error_log.handlers = [error_handler]
