"""Export a run's best weights as a bundle."""

import argparse
from pathlib import Path

from seqserve.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run's folder and the options of the bundle."""
    parser.add_argument("folder", type=Path, metavar="RUN", help="folder of a run")
    parser.add_argument(
        "--to", type=Path, default=Path("models"), metavar="FOLDER", help="models folder (default: models)"
    )
    parser.add_argument("--card", type=Path, metavar="FILE", help="model card (default: one written from the run)")
    parser.add_argument("--version", help="version of the bundle (default: the configuration's)")
    parser.add_argument("--replace", action="store_true", help="overwrite a bundle of that name and version")


def run(given: argparse.Namespace) -> int:
    """Export, and print the bundle's folder; raises SeqserveError."""
    from seqserve.training.config import check_name
    from seqserve.training.export_run import export_run

    if given.version is not None:
        check_name("--version", given.version, error=UsageError)
    print(export_run(given.folder, given.to, card=given.card, version=given.version, replace=given.replace))
    return 0
