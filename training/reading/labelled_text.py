"""Texts with one label each, from files."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqserve.training.classifiers.config import LabelledFile
from seqserve.training.reading.text import TextError, is_in_part, read_lines


@dataclass(frozen=True)
class LabelledText:
    """One text and what is said of it."""

    text: str
    label: str


def read_labelled(path: Path, file: LabelledFile, labels: Sequence[str]) -> list[LabelledText]:
    """The texts of one file that its options keep, in order; texts without any character are left out.

    Raises TextError, naming the line, for a missing column or a label that is none of `labels`.
    """
    kept: list[LabelledText] = []
    seen: set[str] = set()
    for number, text, label in _rows(path, file):
        if file.map is not None:
            if label not in file.map:
                continue
            label = file.map[label]
        if label not in labels:
            raise TextError(f"{path}, line {number}: the label {label!r} is none of {', '.join(labels)}; see `map`")
        if not text or not is_in_part(text, file.part) or (file.distinct and text in seen):
            continue
        seen.add(text)
        kept.append(LabelledText(text, label))
    return kept


def _rows(path: Path, file: LabelledFile) -> Iterator[tuple[int, str, str]]:
    """Number of the line, text and label as the file has them."""
    lines = read_lines(path)
    is_csv = file.format == "csv"
    rows: Iterator[list[str]] = csv.reader(lines) if is_csv else (line.split("\t") for line in lines)
    if is_csv:
        next(rows, None)  # the header
    last = max(file.text_column, file.label_column if file.label == "column" else 0)
    for number, columns in enumerate(rows, 2 if is_csv else 1):
        if len(columns) <= last:
            raise TextError(f"{path}, line {number}: has {len(columns)} columns, no column {last}")
        text = columns[file.text_column].strip()
        if file.label == "column":
            yield number, text, columns[file.label_column]
        elif file.label == "file":
            yield number, text, file.file_label
        else:
            yield number, text[:-1].rstrip(), text[-1:]
