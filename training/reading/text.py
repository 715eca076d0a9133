"""Running text from files: lines, and the sequences of tokens that a language model learns from."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from seqserve.errors import SeqserveError
from seqserve.text.sentences import split_sentences
from seqserve.text.tokenizers import TOKENIZERS
from seqserve.training.language.config import TextFile, TextOptions
from seqserve.training.reading.conll import read_conll
from seqserve.training.reading.tunes import read_tunes

UNKNOWN_FORM = "<unk>"
"""How corpora spell a word that was taken out of them; it becomes <UNK> and never a word."""

_HELD_PLACE = "\ue000"  # one token to every tokeniser
_CHARACTERS_A_PIECE = 1 << 16


class TextError(SeqserveError):
    """A text file that cannot be read; the sentence names the file and the line."""


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 file, plain, .gz or .xz, without their ends; only a line feed ends a line.

    Raises TextError.
    """
    try:
        with _opened(path) as stream:
            for number, line in enumerate(stream, 1):
                try:
                    yield line.decode("utf-8").removesuffix("\n").removesuffix("\r")
                except UnicodeDecodeError as error:
                    raise TextError(f"{path}, line {number}: byte {error.start + 1} is not UTF-8") from error
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise TextError(f"{path}: cannot be read: {error}") from error


def read_sequences(path: Path, file: TextFile, options: TextOptions) -> Iterator[list[str]]:
    """Yield the token sequences of one file, each without its <EOS>.

    By unit: "sentence" and "line" give one sequence each; "stream" gives lines too (word level), or pieces of the
    running text, line ends included (character level).
    """
    if file.format == "conll":
        yield from (list(sentence.tokens) for sentence in read_conll(path))
        return
    if options.unit == "stream" and options.level == "character":
        yield from _pieces(path, file)
        return
    tokenize = TOKENIZERS[options.tokenization]
    for line in _chosen(_lines(path, file), file):
        text = file.prefix + line.replace(UNKNOWN_FORM, _HELD_PLACE)
        tokens = tokenize(text)
        ranges = (
            split_sentences(text, tokens, max_tokens=options.max_unit_tokens)
            if options.unit == "sentence"
            else [(0, len(tokens))]
        )
        for start, end in ranges:
            if end > start or options.unit == "stream":
                yield [UNKNOWN_FORM if _HELD_PLACE in token.text else token.text for token in tokens[start:end]]


def _lines(path: Path, file: TextFile) -> Iterator[str]:
    if file.format == "abc":
        yield from read_tunes(read_lines(path))
        return
    left_out = frozenset(read_lines(Path(file.skip_books))) if file.skip_books else frozenset()
    is_left_out = False
    for number, line in enumerate(read_lines(path), 1):
        if file.format == "books" and line.startswith("# book: "):
            is_left_out = line.removeprefix("# book: ") in left_out
        elif file.format == "books":
            if line and not is_left_out:
                yield line
        elif file.format == "wikitext":
            # Headings are no sentences; hyphens, points and commas inside words and numbers are joined again.
            if line.strip() and not line.startswith(" ="):
                yield line.replace(" @-@ ", "-").replace(" @,@ ", ",").replace(" @.@ ", ".")
        elif file.format == "tsv":
            columns = line.split("\t")
            if len(columns) <= file.column:
                raise TextError(f"{path}, line {number}: has {len(columns)} columns, no column {file.column}")
            yield columns[file.column]
        else:
            yield line


def _chosen(lines: Iterator[str], file: TextFile) -> Iterator[str]:
    """Keep the lines whose hash falls into the file's part, so that equal lines are never on two sides of a split."""
    seen: set[str] = set()
    for line in lines:
        if not is_in_part(line, file.part):
            continue
        if file.distinct:
            if line in seen:
                continue
            seen.add(line)
        yield line


def is_in_part(line: str, part: tuple[float, float]) -> bool:
    """Whether the line's hash, as a number from 0 to 1, lies in the part; the end does not belong to it."""
    first, last = part
    if (first, last) == (0.0, 1.0):
        return True
    digest = hashlib.sha256(line.encode()).digest()
    return first <= int.from_bytes(digest[:6], "big") / (1 << 48) < last


def _pieces(path: Path, file: TextFile) -> Iterator[list[str]]:
    """Yield the file's part in order; for a running text the part is a range of its characters."""
    num_characters = sum(len(line) + 1 for line in _lines(path, file))
    first, last = (round(share * num_characters) for share in file.part)
    end = 0
    piece: list[str] = []
    for line in _lines(path, file):
        start, end = end, end + len(line) + 1
        piece += f"{line}\n"[max(0, first - start) : max(0, last - start)]
        if len(piece) >= _CHARACTERS_A_PIECE:
            yield piece
            piece = []
    if piece:
        yield piece


def _opened(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return io.BufferedReader(gzip.open(path, "rb"))
    if path.suffix == ".xz":
        return io.BufferedReader(lzma.open(path, "rb"))
    return path.open("rb")
