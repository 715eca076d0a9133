"""Sentences that are sent."""

from pathlib import Path

import pytest

from benchmarks.load.texts import FIXTURE, mixed, num_tokens, read_texts, twenty_tokens
from seqserve.errors import SeqserveError


def test_short_sentences_have_twenty_tokens_and_differ(tmp_path: Path) -> None:
    texts, source = read_texts(None, tmp_path)
    short = twenty_tokens(texts, 32)
    assert len(set(short)) == len(short) == 32
    assert {num_tokens(text) for text in short} == {20}
    assert "excerpt" in source
    assert twenty_tokens(texts, 32) == short


def test_short_sentences_are_made_of_shorter_ones() -> None:
    assert num_tokens(twenty_tokens(["a b c and more"] * 30, 1)[0]) == 20
    with pytest.raises(SeqserveError, match="no 20 tokens"):
        twenty_tokens(["too short"], 5)


def test_mixed_sentences_are_in_an_order_of_their_own() -> None:
    texts, _ = read_texts(FIXTURE, Path("nowhere"))
    chosen = mixed(texts, 50)
    assert chosen == mixed(texts, 50)
    assert chosen != texts[:50]
    assert len({num_tokens(text) for text in chosen}) > 10
    with pytest.raises(SeqserveError, match="no sentence"):
        mixed([], 5)


def test_text_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SeqserveError, match="cannot be read"):
        read_texts(tmp_path / "none.txt", tmp_path)
