"""Verify a bundle: its files, checksums, graphs and recorded answers."""

import argparse
from pathlib import Path

from seqserve.loading import load_bundle


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the bundle's folder and where to run it."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder of the bundle, models/NAME/VERSION")
    parser.add_argument("--provider", choices=("cpu", "cuda"), default="cpu", help="where graphs run (default cpu)")


def run(given: argparse.Namespace) -> int:
    """Verify; raises BundleError."""
    bundle = load_bundle(given.bundle, provider=given.provider)
    rows = "rows stand alone" if bundle.reproducible else "rows change with their batch"
    print(f"{bundle.manifest.name} {bundle.manifest.version} is sound: golden answers hold, {rows}.")
    return 0
