"""The start of the server: addresses are taken, and the check of the models begins, before much is imported."""

import signal
import sys
from contextlib import closing
from types import FrameType

from seqserve.service.server.checking import ModelCheck
from seqserve.service.server.listeners import Listeners
from seqserve.service.settings import Settings


def serve(settings: Settings) -> None:
    """Check the models, then serve until told to stop; ends in SystemExit.

    Raises SeqserveError before any connection is taken.
    """
    # Until gunicorn's handler takes its place. Without one a container's first process would not hear SIGTERM at all.
    signal.signal(signal.SIGTERM, _exit)
    with (
        closing(Listeners(settings)) as listeners,
        ModelCheck(settings.models, provider=settings.provider) as check,
    ):
        from seqserve.service.server import application  # late: importing takes about as long as the check

        application.serve(settings, listeners, check)


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(0)
