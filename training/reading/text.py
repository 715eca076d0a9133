"""Running text from files: lines, and the sequences of tokens that a language model learns from."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from seqserve.entries import TokenizerName
from seqserve.text.sentences import split_sentences
from seqserve.text.tokenizers import TOKENIZERS
from seqserve.training.config import ConfigError, FilePath, check_part
from seqserve.training.reading.conll import read_conll
from seqserve.training.reading.lines import TextError, read_lines
from seqserve.training.reading.tunes import read_tunes

UNKNOWN_FORM = "<unk>"
"""Spelling of a word that was taken out of a corpus; it becomes <UNK> and never a word."""

_HELD_PLACE = "\ue000"  # one token for every tokeniser
_CHARACTERS_A_PIECE = 1 << 16


@dataclass(frozen=True)
class TextOptions:
    """Definition of tokens, of sequences and of the vocabulary."""

    level: Annotated[Literal["word", "character"], "what a token is"] = "word"
    tokenization: Annotated[TokenizerName, "the tokeniser"] = "whitespace"
    lookup: Annotated[tuple[str, ...], "how a token is looked up: these steps, in order"] = ("exact",)
    unit: Annotated[
        Literal["sentence", "line", "stream"],
        "sentence, line: each begins with x<1> = 0 and a<0> = 0; stream: state is carried through the whole text",
    ] = "sentence"
    ends_sentences: Annotated[bool, "<EOS> after each sentence or line"] = True
    max_unit_tokens: Annotated[int, "longer sentences are cut"] = 256
    max_vocabulary: Annotated[int, "most frequent types, <EOS> and <UNK> counted; 0: all"] = 0
    min_count: Annotated[int, "rarer types are <UNK>"] = 1


@dataclass(frozen=True)
class TextFile:
    """One file of text: where it is, how it is written, which part of it counts."""

    file: Annotated[FilePath, "of a known data set (`ptb/ptb.valid.txt`), or your own; plain, .gz or .xz"]
    format: Annotated[Literal["text", "books", "wikitext", "tsv", "abc", "conll"], "how the file is written"] = "text"
    prefix: Annotated[str, "put before every line, such as its class for a generator"] = ""
    column: Annotated[int, "tsv: column of the text, from 0"] = 0
    skip_books: Annotated[FilePath, "books: a file with the ids of those to leave out, one a line"] = ""
    part: Annotated[tuple[float, float], "which lines, by hash; of a running text of characters, a range in order"] = (
        0.0,
        1.0,
    )
    distinct: Annotated[bool, "repeated lines once"] = False

    def check(self, options: TextOptions) -> None:
        """Raise ConfigError, naming file and field, for options that the reading of such a text does not use."""
        is_running = options.unit == "stream" and options.level == "character"
        for field_name, is_used, needs in (
            ("column", self.format == "tsv" or not self.column, 'format = "tsv"'),
            ("skip_books", self.format == "books" or not self.skip_books, 'format = "books"'),
            ("format", self.format != "conll" or options.level == "word", 'text.level = "word"'),
            ("part", self.format != "conll" or tuple(self.part) == (0.0, 1.0), 'a format other than "conll"'),
            ("prefix", not self.prefix or (self.format != "conll" and not is_running), "a text of lines"),
            (
                "format",
                self.format != "abc" or (options.level == "character" and options.unit == "line"),
                "lines of characters",
            ),
            ("distinct", not self.distinct or (self.format != "conll" and not is_running), "a text of lines"),
        ):
            if not is_used:
                raise ConfigError(f"{field_name} = {getattr(self, field_name)!r} of {self.file} needs {needs}")
        if self.column < 0:
            raise ConfigError(f"column = {self.column} of {self.file} is below 0")
        check_part(self.part, self.file)


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
    """Return whether the line's hash, as a number from 0 to 1, lies in the part; the end does not belong to it."""
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
