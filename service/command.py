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
    """Serve; ends in SystemExit. Raises SeqserveError before any connection is taken."""
    settings = settings_from(vars(given), os.environ)
    from seqserve.service.server.serve import serve  # late: --help and usage errors need none of it

    serve(settings)
    return 0
