"""Texts with one label each, from files."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from seqserve.training.config import ConfigError, FilePath, check_part
from seqserve.training.reading.lines import TextError, read_lines
from seqserve.training.reading.text import is_in_part


@dataclass(frozen=True)
class LabelledFile:
    """One file of texts with labels: where it is, how it is written, which part of it counts."""

    file: Annotated[FilePath, "of a known data set (`sst2/train.tsv`), or your own; plain, .gz or .xz"]
    format: Annotated[Literal["tsv", "csv"], "csv: the first line is a header; plain lines are one column of tsv"] = (
        "tsv"
    )
    text_column: Annotated[int, "column of the texts, from 0"] = 0
    label: Annotated[
        Literal["column", "file", "final-mark"],
        "column: in `label_column`; file: `file_label` for all; final-mark: the last character, taken off the text",
    ] = "column"
    label_column: Annotated[int, "column of the labels, from 0"] = 1
    file_label: Annotated[str, 'the label of every text, for `label = "file"`'] = ""
    map: Annotated[dict[str, str] | None, "label in the file = label; texts with others are left out"] = None
    part: Annotated[tuple[float, float], "which texts, by hash: equal ones are on one side"] = (0.0, 1.0)
    distinct: Annotated[bool, "repeated texts once"] = False
    weight: Annotated[float, "of this dev file's accuracy in the mean that chooses the epoch; 0: reported only"] = 1.0

    def __post_init__(self) -> None:
        if (self.label == "file") != bool(self.file_label):
            raise ConfigError(f'file_label of {self.file} is needed for label = "file", and only there')
        if min(self.text_column, self.label_column) < 0:
            raise ConfigError(f"text_column and label_column of {self.file} count from 0")
        check_part(self.part, self.file)


@dataclass(frozen=True)
class LabelledText:
    """One text and its label."""

    text: str
    label: str


def read_labelled(
    path: Path, file: LabelledFile, labels: Sequence[str], *, dropped: Counter[str] | None = None
) -> list[LabelledText]:
    """Read the texts of one file that its options keep, in order; texts without any character are left out.

    `dropped`: counts the labels that the file's map leaves out. Raises TextError, naming the line, for a missing
    column or a label that is none of `labels`.
    """
    kept: list[LabelledText] = []
    seen: set[str] = set()
    for number, text, label in _rows(path, file):
        if file.map is not None:
            if label not in file.map:
                if dropped is not None:
                    dropped[label] += 1
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
    """Yield the number of the first line, text and label as the file has them; blank lines hold none."""
    last = max(file.text_column, file.label_column if file.label == "column" else 0)
    for number, columns in _csv_rows(path) if file.format == "csv" else _tsv_rows(path):
        if len(columns) <= last:
            raise TextError(f"{path}, line {number}: has {len(columns)} columns, no column {last}")
        text = columns[file.text_column].strip()
        if file.label == "column":
            yield number, text, columns[file.label_column]
        elif file.label == "file":
            yield number, text, file.file_label
        else:
            yield number, text[:-1].rstrip(), text[-1:]


def _tsv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(read_lines(path), 1):
        if line.strip():
            yield number, line.split("\t")


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows after the header; a quoted field may hold line ends, as office programs write them."""
    rows = csv.reader((f"{line}\n" for line in read_lines(path)), strict=True)
    number = 1
    try:
        for columns in rows:
            if columns and number > 1:
                yield number, columns
            number = rows.line_num + 1
    except csv.Error as error:
        raise TextError(f"{path}, line {number}: is not CSV: {error}") from None
