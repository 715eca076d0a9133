"""List the models that folders hold. A folder that is passed over is named on standard error, with the reason."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from seqserve.errors import BundleError
from seqserve.locations import environment_folders, find_models
from seqserve.manifest import Manifest, read_manifest


class Row(NamedTuple):
    """One row of the table; parameters: how many there are."""

    name: str
    version: str
    task: str
    languages: list[str]
    parameters: int
    licence: str
    folder: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folders and the format."""
    parser.add_argument(
        "folders",
        nargs="*",
        type=Path,
        metavar="FOLDER",
        help="folder of models, or a bundle (default $SEQSERVE_MODELS, else ./models, "
        "~/.local/share/seqserve/models and installed data packages)",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object for each model, one a line")


def run(given: argparse.Namespace) -> int:
    """Print the table; raises BundleError when there is no model, or two have the same name."""
    found = find_models(given.folders or environment_folders(), pass_over=lambda each: _skip(each.folder, each.reason))
    rows = []
    for folder in found:
        try:
            rows.append(_row(folder, read_manifest(folder)))
        except BundleError as error:
            print(f"seqserve: {error}", file=sys.stderr)
    if given.json:
        print("".join(msgspec.json.encode(row._asdict()).decode() + "\n" for row in rows), end="")
    else:
        print(_table(rows))
    return 0 if len(rows) == len(found) else 1


def _row(folder: Path, manifest: Manifest) -> Row:
    architecture: Any = manifest.architecture
    return Row(
        manifest.name,
        manifest.version,
        manifest.task,
        manifest.languages,
        architecture.num_parameters,
        manifest.licence,
        str(folder),
    )


def _table(rows: Iterable[Row]) -> str:
    """Return the rows below a line of headings, in columns as wide as they need to be."""
    lines = [tuple(Row._fields)]
    lines += [
        tuple(row._replace(languages=", ".join(row.languages), parameters=f"{row.parameters:,}"))  # type: ignore[arg-type]
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    # Numbers end in the same column.
    sides = [str.rjust if name == "parameters" else str.ljust for name in Row._fields]
    return "\n".join(
        "  ".join(side(cell, width) for side, cell, width in zip(sides, line, widths, strict=True)).rstrip()
        for line in lines
    )


def _skip(folder: Path, reason: str) -> None:
    print(f"seqserve: {folder} is passed over: {reason}.", file=sys.stderr)
