"""The probability that a language model gives to a text: perplexity, unknown words, bits per character."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from seqserve.language.model import LanguageModelBundle
from seqserve.training.reading.text import TextError, TextFile, TextOptions, read_sequences
from seqserve.vocabulary.tokens import EOS_ID, UNKNOWN_ID

_T = TypeVar("_T")
_ROWS_AT_A_TIME = 4096  # bounds memory; within these, rows of like length share graph runs


@dataclass(frozen=True, slots=True)
class TextScores:
    """Sums over a text; natural logarithms in float64. <EOS> counts as a token, the start does not."""

    num_lines: int
    num_sequences: int
    num_tokens: int
    num_unknown: int
    log_prob: float
    log_prob_unknown: float
    num_characters: int

    @property
    def unknown_rate(self) -> float:
        """Unknown tokens per token, in 0..1."""
        return self.num_unknown / self.num_tokens

    @property
    def perplexity(self) -> float:
        """exp(-log_prob / num_tokens), <UNK> counted with what the model gives to it."""
        return _exp(-self.log_prob / self.num_tokens)

    @property
    def perplexity_known(self) -> float | None:
        """The same over the known tokens alone, None where there are none."""
        num_known = self.num_tokens - self.num_unknown
        return _exp((self.log_prob_unknown - self.log_prob) / num_known) if num_known else None

    @property
    def bits_per_char(self) -> float | None:
        """-log2 P(text) over its characters, line ends that are scored included; None where there are none."""
        return -self.log_prob / math.log(2) / self.num_characters if self.num_characters else None

    def as_dict(self) -> dict[str, float | None]:
        """Return all numbers for a JSON file."""
        return {
            "num_lines": self.num_lines,
            "num_sequences": self.num_sequences,
            "num_tokens": self.num_tokens,
            "num_unknown": self.num_unknown,
            "unknown_rate": self.unknown_rate,
            "log_prob": self.log_prob,
            "perplexity": self.perplexity,
            "perplexity_known": self.perplexity_known,
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
    rows = ([*map(lookup, tokens), *ends] for tokens in read_sequences(path, file, options))
    if options.unit == "stream":
        lines = list(rows)
        scores = _score(bundle, [list(chain.from_iterable(lines))])
        num_lines = None if options.level == "character" else len(lines)
    else:
        scores, num_lines = _score(bundle, rows), None
    if not scores.num_tokens:
        raise TextError(f"{path}: it holds no tokens")
    return _with_characters(scores, path, file, options, num_lines=num_lines)


def score_texts(bundle: LanguageModelBundle, texts: Iterable[str]) -> "SentenceScores":
    """Score texts as people write them, each from the start; <EOS> counts if the model has learned it."""
    ends = [EOS_ID] if bundle.manifest.ends_sentences else []
    log_probs, num_tokens, num_unknown = [], [], []
    for batch in _batches(texts):
        rows = [bundle.encode(text).ids + ends for text in batch]
        log_probs += [row.log_probs.sum(dtype=np.float64) for row in bundle.score(rows)]
        num_tokens += [len(ids) for ids in rows]
        num_unknown += [ids.count(UNKNOWN_ID) for ids in rows]
    return SentenceScores(np.array(log_probs), np.array(num_tokens), np.array(num_unknown))


@dataclass(frozen=True, slots=True)
class SentenceScores:
    """One entry a sentence: log_probs float64 (N,), natural; num_tokens and num_unknown int64 (N,)."""

    log_probs: NDArray[np.float64]
    num_tokens: NDArray[np.int64]
    num_unknown: NDArray[np.int64]


def _score(bundle: LanguageModelBundle, rows: Iterable[Sequence[int]]) -> TextScores:
    num_sequences = num_tokens = num_unknown = 0
    log_prob = log_prob_unknown = 0.0
    for batch in _batches(rows):
        num_sequences += len(batch)
        for ids, scored in zip(batch, bundle.score(batch), strict=True):
            unknown = np.array(ids, np.int32) == UNKNOWN_ID
            num_tokens += len(ids)
            num_unknown += int(unknown.sum())
            log_prob += float(scored.log_probs.sum(dtype=np.float64))
            log_prob_unknown += float(scored.log_probs[unknown].sum(dtype=np.float64))
    return TextScores(
        num_lines=0,
        num_sequences=num_sequences,
        num_tokens=num_tokens,
        num_unknown=num_unknown,
        log_prob=log_prob,
        log_prob_unknown=log_prob_unknown,
        num_characters=0,
    )


def _with_characters(
    scores: TextScores, path: Path, file: TextFile, options: TextOptions, *, num_lines: int | None
) -> TextScores:
    """Count the lines that are scored and their characters, one line end for each if it is scored."""
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
    return replace(scores, num_lines=num_lines, num_characters=num_characters + num_ends)


def _batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    remaining = iter(items)
    while batch := list(islice(remaining, _ROWS_AT_A_TIME)):
        yield batch


def _exp(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf
