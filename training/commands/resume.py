"""Go on with an interrupted run."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run's folder."""
    parser.add_argument("folder", type=Path, metavar="RUN")


def run(given: argparse.Namespace) -> int:
    """Train on; raises SeqserveError for a folder that holds no run."""
    from seqserve.training.runs import resume

    resume(given.folder)
    return 0
