"""`python -m service check BUNDLE`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from seqserve.loading import load_bundle
from seqserve.service.settings import PROVIDERS


def check(arguments: Sequence[str]) -> int:
    """Verify a bundle: files, checksums, graphs, recorded answers. Raises BundleError."""
    parser = argparse.ArgumentParser(prog="python -m service check", description=check.__doc__)
    parser.add_argument("bundle", type=Path, help="folder of the bundle")
    parser.add_argument("--provider", choices=PROVIDERS[:2], default="cpu", help="where to run it (default cpu)")
    given = parser.parse_args(arguments)
    bundle = load_bundle(given.bundle, provider=given.provider)
    rows = "rows stand alone" if bundle.reproducible else "rows change with their batch"
    print(f"{bundle.manifest.name} {bundle.manifest.version} is sound: golden answers hold, {rows}.")
    return 0
