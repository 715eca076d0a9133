"""Answer requests over HTTP, until told to stop."""

import argparse
import os

from seqserve.service.read_settings import EPILOG, add_settings, settings_from


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add a flag for every setting."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    add_settings(parser)


def run(given: argparse.Namespace) -> int:
    """Serve, and return the exit status; raises SeqserveError before any connection is taken."""
    settings = settings_from(vars(given), os.environ)
    from seqserve.service.server.serve import serve  # late: --help and usage errors need none of it

    started_by = os.getpid()
    try:
        serve(settings)
    except SystemExit as ended:
        if os.getpid() != started_by:  # in a worker, whose status says to its master why it ended
            raise
        return 1 if ended.code else 0
    return 0
