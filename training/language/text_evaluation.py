"""The probability that a language model gives to a text: perplexity, unknown words, bits per character."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np

from seqserve.language.model import LanguageModelBundle
from seqserve.language.scoring import Sums, sums_of
from seqserve.training.reading.lines import TextError
from seqserve.training.reading.text import TextFile, TextOptions, read_sequences
from seqserve.vocabulary.tokens import EOS_ID

_ROWS_AT_A_TIME = 4096  # bounds memory; within these, rows of like length share graph runs


@dataclass(frozen=True, slots=True)
class TextScores:
    """Sums over a text. <EOS> counts as a token, the start does not."""

    num_lines: int
    num_sequences: int
    sums: Sums
    num_characters: int

    @property
    def unknown_rate(self) -> float:
        """Unknown tokens per token, in 0..1."""
        return self.sums.num_unknown / self.sums.num_tokens

    @property
    def bits_per_char(self) -> float | None:
        """-log2 P(text) over its characters, line ends that are scored included; None where there are none."""
        return -self.sums.log_prob / math.log(2) / self.num_characters if self.num_characters else None

    def as_dict(self) -> dict[str, float | None]:
        """Return all numbers for a JSON file."""
        return {
            "num_lines": self.num_lines,
            "num_sequences": self.num_sequences,
            "num_tokens": self.sums.num_tokens,
            "num_unknown": self.sums.num_unknown,
            "unknown_rate": self.unknown_rate,
            "log_prob": self.sums.log_prob,
            "perplexity": self.sums.perplexity,
            "perplexity_known": self.sums.perplexity_known,
            "num_characters": self.num_characters,
            "bits_per_char": self.bits_per_char,
        }


def evaluate_text(bundle: LanguageModelBundle, path: Path, file: TextFile, options: TextOptions) -> TextScores:
    """Score a file as training reads it: sequences each from zero state, or with unit "stream" as one running text.

    In a stream of words every line ends in one <EOS> and the state goes on over it (the convention of PTB and
    WikiText-2); in a stream of characters, line ends are characters. Raises TextError when the file cannot be
    read or holds no tokens.
    """
    ends = [EOS_ID] if options.ends_sentences else []
    lookup = bundle.vocabulary.lookup
    rows: Iterable[list[int]] = ([*map(lookup, tokens), *ends] for tokens in read_sequences(path, file, options))
    num_lines = None
    if options.unit == "stream":
        lines = list(rows)
        num_lines = None if options.level == "character" else len(lines)
        rows = [list(chain.from_iterable(lines))]
    sums, num_sequences = Sums(), 0
    for each in _score(bundle, rows):
        sums, num_sequences = sums + each, num_sequences + 1
    if not sums.num_tokens:
        raise TextError(f"{path}: there are no tokens in it")
    num_lines, num_characters = _count(path, file, options, num_lines=num_lines)
    return TextScores(num_lines, num_sequences, sums, num_characters)


def score_texts(bundle: LanguageModelBundle, texts: Iterable[str]) -> Iterator[Sums]:
    """Score texts as people write them, each from the start; <EOS> counts if the model has learned it."""
    ends = [EOS_ID] if bundle.manifest.ends_sentences else []
    return _score(bundle, (bundle.encode(text).ids + ends for text in texts))


def shown(value: float | None, decimals: int = 2) -> str:
    """Return a number as text, "-" where there is none."""
    return "-" if value is None else f"{value:.{decimals}f}"


def _score(bundle: LanguageModelBundle, rows: Iterable[list[int]]) -> Iterator[Sums]:
    remaining = iter(rows)
    while batch := list(islice(remaining, _ROWS_AT_A_TIME)):
        for ids, scored in zip(batch, bundle.score(batch), strict=True):
            yield sums_of(np.array(ids, np.int32), scored.log_probs)


def _count(path: Path, file: TextFile, options: TextOptions, *, num_lines: int | None) -> tuple[int, int]:
    """Return the lines that are scored, where not known already, and their characters with the line ends scored."""
    is_running = options.unit == "stream" and options.level == "character"
    reading = TextOptions(
        level="character",
        tokenization="characters",
        unit="stream" if is_running else "line",
        ends_sentences=False,
    )
    num_read = num_characters = 0
    between = " " if file.format == "conll" else ""
    for characters in read_sequences(path, file, reading):
        num_read += characters.count("\n") if is_running else 1
        num_characters += len(between.join(characters))
    num_lines = num_read if num_lines is None else num_lines  # a stream of words also scores the ends of empty lines
    num_ends = num_lines if options.ends_sentences else 0
    return num_lines, num_characters + num_ends
