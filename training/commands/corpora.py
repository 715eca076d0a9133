"""List, import and download the known data sets."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from seqserve.training.corpora import (
    CorporaError,
    Corpus,
    data_folder,
    find_corpus,
    import_corpus,
    known_corpora,
    state_of,
)
from seqserve.training.fetch import fetch_corpus


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `seqserve train corpora`."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="data sets (default: all)")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--from", dest="source", metavar="FOLDER", help="copy files from FOLDER/NAME/…")
    action.add_argument(
        "--fetch", action="store_true", help="download the named data sets, as far as their files have an address"
    )
    action.add_argument(
        "--show", action="store_true", help="show checksums, addresses, columns, labels and attribution"
    )


def run(arguments: argparse.Namespace) -> int:
    """List, import or download data sets; return 1, with a line on standard error, for each file that failed."""
    corpora = [find_corpus(name) for name in arguments.names] or list(known_corpora())
    folder = data_folder()
    if arguments.source is not None:
        return _import(corpora, Path(arguments.source), folder, named=bool(arguments.names))
    if arguments.fetch:
        return _fetch(corpora, folder, named=bool(arguments.names))
    if arguments.show:
        print("\n".join(_details(corpora, folder)))
    else:
        print(f"data folder: {folder}")
        print(_table(corpora, folder))
        print("with --show: every file's checksum and address, columns, labels, attribution")
    return 0


def _import(corpora: Iterable[Corpus], source: Path, folder: Path, *, named: bool) -> int:
    if not source.is_dir():
        raise CorporaError(f"{source}: there is no such folder")
    failed = 0
    for corpus in corpora:
        if not named and not (source / corpus.name).is_dir():
            print(f"{corpus.name}: not in {source}")
            continue
        try:
            print(f"{corpus.name}: {import_corpus(corpus, source, folder)} of {len(corpus.files)} files copied")
        except CorporaError as error:
            print(error, file=sys.stderr)
            failed = 1
    return failed


def _fetch(corpora: Sequence[Corpus], folder: Path, *, named: bool) -> int:
    if not named:
        names = [corpus.name for corpus in corpora if any(file.url for file in corpus.files)]
        raise CorporaError(f"--fetch needs names; files can be downloaded of {', '.join(names)}")
    failed = 0
    for corpus in corpora:
        for line in fetch_corpus(corpus, folder):
            print(line, file=sys.stderr)
            failed = 1
    return failed


def _table(corpora: Iterable[Corpus], folder: Path) -> str:
    rows = [("name", "kind", "ship", "state", "licence", "source")]
    rows += [
        (each.name, each.kind, "yes" if each.ship else "no", state_of(each, folder), each.licence, each.source)
        for each in corpora
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _details(corpora: Iterable[Corpus], folder: Path) -> Iterable[str]:
    for corpus in corpora:
        yield f"{corpus.name}: {corpus.title}"
        yield f"  state: {state_of(corpus, folder)}"
        for name in ("licence", "attribution", "source", "revision", "changes", "columns", "scheme", "labels"):
            if value := getattr(corpus, name):
                yield f"  {name}: {value}"
        partly = "those of its text alone" if corpus.ship_text else "no, for measuring here only"
        yield f"  weights may be given away: {'yes' if corpus.ship else partly}"
        for file in corpus.files:
            yield f"  {file.sha256}  {file.path}  {file.bytes} bytes{'  ' + file.url if file.url else ''}"
