"""Verify bundles: their files, checksums, graphs and recorded answers; the exit status is 1 if one fails.

A bundle's folder, a folder of versions, of which the newest is verified, or a model's name may be given.
"""

import argparse
import os
import sys
from pathlib import Path

from seqserve.commands.model_flags import add_models_flag
from seqserve.errors import BundleError, SeqserveError
from seqserve.finding import mismatch
from seqserve.loading import load_bundle, locate
from seqserve.locations import environment_folders
from seqserve.manifest import Manifest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the bundles, where they are looked for and where they run."""
    parser.add_argument(
        "bundles",
        nargs="+",
        metavar="BUNDLE",
        help="folder of a bundle, models/NAME/VERSION, folder of its versions, of which the newest is taken, or a name",
    )
    add_models_flag(parser)
    parser.add_argument("--provider", choices=("cpu", "cuda"), default="cpu", help="where graphs run (default cpu)")


def run(given: argparse.Namespace) -> int:
    """Verify each, and say on standard error which fail."""
    status = 0
    for each in given.bundles:
        try:
            folder = locate(each, models=given.models or environment_folders())
            bundle = load_bundle(folder, provider=given.provider)
            _check_place(folder, bundle.manifest)
        except SeqserveError as error:
            print(f"seqserve: {error}", file=sys.stderr)
            status = 1
        else:
            rows = "rows stand alone" if bundle.reproducible else "rows change with their batch"
            print(f"{bundle.manifest.name} {bundle.manifest.version} is sound: golden answers hold, {rows}.")
    return status


def _check_place(folder: Path, manifest: Manifest) -> None:
    """Refuse a folder that is NAME/VERSION by one of the two only; one that is neither stands alone and is fine."""
    name, version = Path(os.path.abspath(folder)).parts[-2:]
    if (manifest.name == name) != (manifest.version == version):
        raise BundleError(f"{folder}: {mismatch(folder, manifest)}")
