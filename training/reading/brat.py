"""brat's stand-off annotations: a text in NAME.txt, its entities in NAME.ann."""

from collections.abc import Iterator
from pathlib import Path

from seqserve.training.reading.annotated_text import AnnotatedText, CharacterSpan
from seqserve.training.reading.lines import TextError, read_raw_lines, read_raw_text


def read_brat(path: Path) -> Iterator[AnnotatedText]:
    """Yield the texts of a folder (and of the folders below it), or the one of an .ann or .txt file.

    An entity in several parts is one from the first to the last. Raises TextError, naming file and line.
    """
    files = sorted(path.rglob("*.ann")) if path.is_dir() else [path.with_suffix(".ann")]
    if not files:
        raise TextError(f"{path}: there are no .ann files in it")
    for file in files:
        text = read_raw_text(file.with_suffix(".txt"))
        yield AnnotatedText(text, tuple(_entities(file)), str(file))


def _entities(path: Path) -> Iterator[CharacterSpan]:
    for number, line in enumerate(read_raw_lines(path), 1):
        if not line.startswith("T"):  # relations, events, attributes, notes
            continue
        try:
            _, kind, *text = line.split("\t")
            label, places = kind.split(" ", 1)
            bounds = [int(place) for part in places.split(";") for place in part.split()]
            start, end = min(bounds), max(bounds)
        except ValueError:
            raise TextError(f"{path}, line {number}: must be an identifier, a label with offsets, and text") from None
        yield CharacterSpan(start, end, label, text[0] if text and len(bounds) == 2 else None, f"{path}, line {number}")
