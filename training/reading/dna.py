"""Splice junctions as sentences of bases, each base labelled exon or intron."""

import csv
from pathlib import Path

from seqserve.training.reading.conll import Sentence
from seqserve.training.reading.lines import TextError, read_lines
from seqserve.training.reading.text import is_in_part

_SIDES = {"EI": ("EXON", "INTRON"), "IE": ("INTRON", "EXON"), "N": None}
"""Labels before and after the middle, by class; None: no junction, and no labels."""


def read_splice(path: Path, part: tuple[float, float]) -> list[Sentence]:
    """Read UCI's splice junctions (csv with header: class, name, sequence) as sentences of bases with BIO tags.

    `part`: of the sequences by hash, so that equal ones are never on two sides of a split. Raises TextError, naming the
    line, for another class or a sequence without a middle.
    """
    rows = csv.reader(read_lines(path))
    next(rows, None)  # the header
    sentences = []
    for number, row in enumerate(rows, 2):
        if len(row) != 3 or row[0] not in _SIDES or not row[2] or len(row[2]) % 2:
            raise TextError(f"{path}, line {number}: is not one of {', '.join(_SIDES)}, a name and an even sequence")
        label, _, bases = row
        if is_in_part(bases, part):
            sentences.append(Sentence(tuple(bases), _tags(label, len(bases) // 2)))
    return sentences


def _tags(label: str, half: int) -> tuple[str, ...]:
    sides = _SIDES[label]
    if sides is None:
        return ("O",) * (2 * half)
    return tuple(f"{'I' if place else 'B'}-{side}" for side in sides for place in range(half))
