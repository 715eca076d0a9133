"""Sentences to the padded arrays that a graph over words and their characters takes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqserve.arrays import check_array, check_range
from seqserve.vocabulary.words import PADDING_ID, CharacterVocabulary, WordVocabulary


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Padded sentences: words (B,T), chars (B,T,L) and lengths (B,), all int32; 0 after the end of row and word."""

    words: NDArray[np.int32]
    chars: NDArray[np.int32]
    lengths: NDArray[np.int32]

    def feeds(self) -> dict[str, NDArray[np.int32]]:
        """Return the arrays under the names of the graph's inputs."""
        return {"words": self.words, "chars": self.chars, "lengths": self.lengths}


def encode_sentences(
    sentences: Sequence[Sequence[str]], words: WordVocabulary, characters: CharacterVocabulary, *, max_word_chars: int
) -> TokenBatch:
    """Look up and pad sentences of tokens.

    Raises ValueError when there is no sentence or one has no token: zero rows abort the graph's runtime.
    """
    if not sentences or not all(sentences):
        raise ValueError("a batch needs at least one sentence, and every sentence at least one token")
    lengths = np.array([len(sentence) for sentence in sentences], dtype=np.int32)
    tokens = [token for sentence in sentences for token in sentence]
    spelled = [characters.encode(token, max_word_chars) for token in tokens]
    word_lengths = np.array([len(ids) for ids in spelled], dtype=np.int32)

    real = np.arange(lengths.max()) < lengths[:, None]  # (B,T)
    word_ids = np.full(real.shape, PADDING_ID, dtype=np.int32)
    word_ids[real] = [words.lookup(token) for token in tokens]
    longest = int(word_lengths.max())
    rows = np.full((len(tokens), longest), PADDING_ID, dtype=np.int32)
    rows[np.arange(longest) < word_lengths[:, None]] = [character_id for ids in spelled for character_id in ids]
    chars = np.full((*real.shape, longest), PADDING_ID, dtype=np.int32)
    chars[real] = rows
    return TokenBatch(word_ids, chars, lengths)


def largest_ids(num_words: int, num_characters: int) -> TokenBatch:
    """Return one word with the largest ids there are: a graph made for smaller vocabularies refuses them."""
    word = np.array([[num_words - 1]], np.int32)
    return TokenBatch(word, np.array([[[num_characters - 1]]], np.int32), np.array([1], np.int32))


def check_batch(batch: TokenBatch, *, num_words: int, num_characters: int, max_word_chars: int) -> None:
    """Refuse arrays that the graph must never see; raises ValueError naming the array and the limit.

    Zero rows abort the process inside LSTM, zero lengths give zeros, and ids out of range read another's memory.
    """
    for name, array, rank in (("words", batch.words, 2), ("chars", batch.chars, 3), ("lengths", batch.lengths, 1)):
        check_array(name, array, np.int32, rank)
    shape = batch.words.shape
    if batch.chars.shape[:2] != shape or batch.lengths.shape != shape[:1]:
        raise ValueError(
            f"words {shape}, chars {batch.chars.shape} and lengths {batch.lengths.shape} must agree in rows and tokens"
        )
    if batch.chars.shape[2] > max_word_chars:
        raise ValueError(f"chars has {batch.chars.shape[2]} characters a word, more than {max_word_chars}")
    check_range("words", batch.words, 0, num_words - 1)
    check_range("chars", batch.chars, 0, num_characters - 1)
    check_range("lengths", batch.lengths, 1, shape[1])
