"""The start of the server: the check of the bundles begins before anything large is imported."""

import signal
import sys
from types import FrameType

from seqserve.service.server.checking import ModelCheck
from seqserve.service.settings import Settings


def serve(settings: Settings) -> None:
    """Check the bundles, then serve until told to stop; ends in SystemExit.

    Raises SeqserveError before anything listens.
    """
    # Until gunicorn's handler takes its place. Without one a container's first process would not hear SIGTERM at all.
    signal.signal(signal.SIGTERM, _exit)
    with ModelCheck(settings.models, provider=settings.provider) as check:
        from seqserve.service.server import application  # late: importing takes about as long as the check

        application.serve(settings, check)


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(0)
