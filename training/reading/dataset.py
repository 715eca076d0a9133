"""Sentences as arrays of surface forms, whose word and character ids are looked up once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seqserve.training.reading.conll import Sentence
from seqserve.vocabulary.words import CharacterVocabulary, WordVocabulary


@dataclass(frozen=True)
class Example:
    """One sentence: surface ids (T,) and tag ids (T,), both int64."""

    surfaces: np.ndarray
    tags: np.ndarray

    def __len__(self) -> int:
        return len(self.surfaces)


class Surfaces:
    """Every distinct token of the training, its ids, and its lower- and upper-cased twin.

    Surface 0 is padding. `word_ids` (U,), `char_ids` (U,L), `lower` and `upper` (U,) surface -> surface.
    """

    def __init__(
        self, tokens: Iterable[str], words: WordVocabulary, characters: CharacterVocabulary, *, max_word_chars: int
    ):
        distinct = sorted(set(tokens))
        everything = sorted({form for token in distinct for form in (token, token.lower(), token.upper())})
        self._ids = {form: i for i, form in enumerate(everything, 1)}
        self.word_ids = np.array([0, *(words.lookup(form) for form in everything)], np.int64)
        self.char_ids = np.zeros((len(everything) + 1, max_word_chars), np.int64)
        for i, form in enumerate(everything, 1):
            encoded = characters.encode(form, max_word_chars)
            self.char_ids[i, : len(encoded)] = encoded
        self.lower = np.array([0, *(self._ids.get(form.lower(), i) for i, form in enumerate(everything, 1))], np.int64)
        self.upper = np.array([0, *(self._ids.get(form.upper(), i) for i, form in enumerate(everything, 1))], np.int64)

    def ids(self, tokens: Sequence[str]) -> np.ndarray:
        return np.array([self._ids[token] for token in tokens], np.int64)

    def example(self, sentence: Sentence, tag_ids: Mapping[str, int]) -> Example:
        return Example(self.ids(sentence.tokens), np.array([tag_ids[tag] for tag in sentence.tags], np.int64))

    def batch(self, examples: Sequence[Example]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return words (B,T), chars (B,T,L), lengths (B,), tags (B,T), int64, as long as the longest; 0 is padding."""
        words, chars, lengths = self.pad([example.surfaces for example in examples])
        tags = np.zeros(words.shape, np.int64)
        for row, example in enumerate(examples):
            tags[row, : len(example)] = example.tags
        return words, chars, lengths, torch.from_numpy(tags)

    def pad(self, rows: Sequence[np.ndarray]) -> tuple[Tensor, Tensor, Tensor]:
        """Map surface ids of each row -> words (B,T), chars (B,T,L), lengths (B,)."""
        lengths = np.array([len(row) for row in rows], np.int64)
        surfaces = np.zeros((len(rows), lengths.max()), np.int64)
        for index, row in enumerate(rows):
            surfaces[index, : len(row)] = row
        chars = self.char_ids[surfaces]
        longest = int((chars != 0).sum(2).max())
        words, spelled, counts = (
            torch.from_numpy(np.ascontiguousarray(array))
            for array in (self.word_ids[surfaces], chars[:, :, :longest], lengths)
        )
        return words, spelled, counts
