"""List the models that folders hold, the newest version of each.

A folder that is passed over is named on standard error, with the reason.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from seqserve.commands.model_flags import FOLDER_HELP, PLACES_HELP
from seqserve.errors import BundleError
from seqserve.locations import clashes, environment_folders, list_models
from seqserve.manifest import Manifest, read_manifest

EPILOG = """\
Which version is newest: versions are compared part by part. Digits that stand together are a number (1.10 is newer than
1.9), a number is newer than anything else (2026-11-28 is newer than v3), and a version is newer than one that it begins
with (1.1 and 1-rc are newer than 1). The exit status is 1 when a bundle cannot be read, or when two models have the
same name: both are listed, and other commands refuse them.
"""


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
    parser.epilog = EPILOG
    parser.add_argument(
        "folders",
        nargs="*",
        type=Path,
        metavar="FOLDER",
        help=f"{FOLDER_HELP} {PLACES_HELP}",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object for each model, one a line")


def run(given: argparse.Namespace) -> int:
    """Print the table; raises BundleError when there is no model."""
    found = list_models(given.folders or environment_folders(), pass_over=_tell)
    rows = []
    for _, folder in found:
        try:
            rows.append(_row(folder, read_manifest(folder)))
        except BundleError as error:
            _tell(error)
    if given.json:
        print("".join(msgspec.json.encode(row._asdict()).decode() + "\n" for row in rows), end="")
    else:
        print(_table(rows))
    clashing = [*clashes(found)]
    for clash in clashing:
        _tell(clash)
    return 1 if clashing or len(rows) < len(found) else 0


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


def _tell(sentence: object) -> None:
    print(f"seqserve: {sentence}.", file=sys.stderr)
