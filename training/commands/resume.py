"""Continue an interrupted run."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run's folder."""
    parser.add_argument("folder", type=Path, metavar="RUN", help="folder of a run")


def run(given: argparse.Namespace) -> int:
    """Continue the training; raises SeqserveError for a folder that holds no run."""
    from seqserve.training.runs import resume

    resume(given.folder)
    return 0
