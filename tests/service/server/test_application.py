"""gunicorn's log goes the way of the project's own."""

import logging
from collections.abc import Iterator

import pytest
from gunicorn.config import Config

from seqserve.service.metrics.logs import error_handler
from seqserve.service.server.application import ErrorLog


@pytest.fixture
def handlers() -> Iterator[list[logging.Handler]]:
    logger = logging.getLogger("gunicorn.error")
    before = (logger.handlers, logger.level, logger.propagate)
    yield logger.handlers
    logger.handlers, logger.level, logger.propagate = before


def test_gunicorn_writes_through_the_handler_of_the_process_and_no_other(handlers: list[logging.Handler]) -> None:
    config = Config()
    config.set("loglevel", "warning")
    config.set("accesslog", "-")
    log = ErrorLog(config)
    log.setup(config)  # as a reload does
    assert log.error_log.handlers == [error_handler]
    assert log.error_log.level == logging.WARNING
    assert not log.access_log.handlers
