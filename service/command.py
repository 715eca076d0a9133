"""Serve models over HTTP until SIGTERM or SIGINT."""

import argparse
import os
import signal
import sys
from contextlib import closing
from types import FrameType

from seqserve.service.read_settings import EPILOG, add_settings, settings_from


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add a flag for every setting."""
    parser.epilog = EPILOG
    add_settings(parser)


def run(given: argparse.Namespace) -> int:
    """Serve, and return the exit status; raises SeqserveError before any connection is taken."""
    settings = settings_from(vars(given), os.environ)
    # Late: --help and usage errors need none of it.
    from seqserve.service.server.checking import ModelCheck
    from seqserve.service.server.listeners import Listeners

    # Until gunicorn sets its handler. A container's first process ignores SIGTERM when it has no handler.
    signal.signal(signal.SIGTERM, _exit)
    started_by = os.getpid()
    try:
        with (
            closing(Listeners(settings)) as listeners,
            ModelCheck(settings.models, provider=settings.provider) as check,
        ):
            from seqserve.service.server.application import serve  # late: importing takes about as long as the check

            serve(settings, listeners, check)
    except SystemExit as ended:
        if os.getpid() != started_by:  # in a worker, whose status tells its master why it ended
            raise
        return 1 if ended.code else 0
    return 0


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(0)
