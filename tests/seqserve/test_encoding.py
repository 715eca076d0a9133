"""Sentences to arrays, and the arrays that a graph must never see."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqserve.encoding import TokenBatch, check_batch, encode_sentences
from seqserve.vocabulary.words import CharacterVocabulary, WordVocabulary, write_words

LIMITS = {"num_words": 5, "num_characters": 6, "max_word_chars": 3}


@pytest.fixture
def words(tmp_path: Path) -> WordVocabulary:
    write_words(tmp_path / "words.txt", ["ab", "c"])
    return WordVocabulary.read(tmp_path / "words.txt")


CHARACTERS = CharacterVocabulary.from_characters("abc")


def test_rows_and_words_are_padded_with_zero(words: WordVocabulary) -> None:
    batch = encode_sentences([["ab", "x"], ["c"]], words, CHARACTERS, max_word_chars=9)
    assert batch.words.tolist() == [[2, 1], [3, 0]]
    assert batch.chars.tolist() == [[[2, 3], [1, 0]], [[4, 0], [0, 0]]]
    assert batch.lengths.tolist() == [2, 1]
    assert {array.dtype for array in batch.feeds().values()} == {np.dtype(np.int32)}


def test_long_words_keep_their_first_characters_and_empty_ones_have_one(words: WordVocabulary) -> None:
    batch = encode_sentences([["abcabc", ""]], words, CHARACTERS, max_word_chars=2)
    assert batch.chars.tolist() == [[[2, 3], [1, 0]]]


@pytest.mark.parametrize("sentences", [[], [[]], [["a"], []]], ids=str)
def test_no_rows_and_no_tokens_are_refused(words: WordVocabulary, sentences: list[list[str]]) -> None:
    with pytest.raises(ValueError, match="at least one sentence, and every sentence at least one token"):
        encode_sentences(sentences, words, CHARACTERS, max_word_chars=2)


def batch_with(**changes: Any) -> TokenBatch:
    good = TokenBatch(np.ones((2, 3), np.int32), np.ones((2, 3, 2), np.int32), np.array([3, 1], np.int32))
    return dataclasses.replace(good, **changes)


def test_a_good_batch_passes() -> None:
    check_batch(batch_with(), **LIMITS)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"words": np.ones((2, 3), np.int64)}, "words must be int32 of rank 2, not int64 of rank 2"),
        ({"chars": np.ones((2, 3), np.int32)}, "chars must be int32 of rank 3, not int32 of rank 2"),
        ({"words": np.ones((0, 3), np.int32)}, r"words must not be empty, its shape is \(0, 3\)"),
        ({"words": np.ones((2, 0), np.int32)}, "words must not be empty"),
        ({"chars": np.ones((2, 3, 0), np.int32)}, "chars must not be empty"),
        ({"lengths": np.ones(3, np.int32)}, "must agree in rows and tokens"),
        ({"chars": np.ones((2, 4, 2), np.int32)}, "must agree in rows and tokens"),
        ({"chars": np.ones((2, 3, 4), np.int32)}, "chars has 4 characters a word, more than 3"),
        ({"words": np.full((2, 3), 5, np.int32)}, "words must lie in 0 to 4, but holds 5 to 5"),
        ({"words": np.full((2, 3), -1, np.int32)}, "words must lie in 0 to 4, but holds -1 to -1"),
        ({"chars": np.full((2, 3, 2), 6, np.int32)}, "chars must lie in 0 to 5"),
        ({"lengths": np.array([3, 0], np.int32)}, "lengths must lie in 1 to 3, but holds 0 to 3"),
        ({"lengths": np.array([4, 1], np.int32)}, "lengths must lie in 1 to 3, but holds 1 to 4"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value[:40],
)
def test_a_bad_batch_is_refused_with_its_array_and_limit(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_batch(batch_with(**changes), **LIMITS)
