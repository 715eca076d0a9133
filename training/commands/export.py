"""Make a bundle of a run's best weights."""

import argparse
from pathlib import Path

from seqserve.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run's folder, and what the bundle is made with."""
    parser.add_argument("folder", type=Path, metavar="RUN")
    parser.add_argument("--to", type=Path, default=Path("models"), help="models folder (default: models)")
    parser.add_argument("--card", type=Path, help="model card (default: one written from the run)")
    parser.add_argument("--version", help="of the bundle (default: the configuration's)")
    parser.add_argument("--replace", action="store_true", help="overwrite a bundle of that name and version")


def run(given: argparse.Namespace) -> int:
    """Export, and print the bundle's folder; raises SeqserveError."""
    from seqserve.training.config import check_name
    from seqserve.training.export_run import export_run

    if given.version is not None:
        check_name("--version", given.version, error=UsageError)
    print(export_run(given.folder, given.to, card=given.card, version=given.version, replace=given.replace))
    return 0
