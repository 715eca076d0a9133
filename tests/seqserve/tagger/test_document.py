"""Texts to rows for the graph, and the answers for rows back to the tokens of the text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.tagger.document import Document, document_of_text, document_of_tokens
from seqserve.tagger.model import TaggedSentence
from seqserve.tagger.tags import make_tags

TAGS = make_tags(["PER", "LOC"], "BIOES")
ANY_TEXT = st.text(st.one_of(st.sampled_from(list("aA1.!?\"' \n\t_²\u200b\u00ad\0🔥†")), st.characters()), max_size=80)


def answer(tags: list[str]) -> TaggedSentence:
    """A row whose tags are certain; its span scores tell the row's tokens apart."""
    probs = np.zeros((len(tags), len(TAGS)), np.float32)
    probs[np.arange(len(tags)), [TAGS.index(tag) for tag in tags]] = 1
    return TaggedSentence(tuple(tags), probs, np.arange(1, len(tags) + 1, dtype=np.float32))


def tags_of(document: Document, *rows: str) -> list[str]:
    """The tags of every token, from those of the rows."""
    found = document.sentences_of([answer(row.split()) for row in rows], TAGS)
    assert [len(each.tags) for each in found] == [end - start for start, end in document.sentences]
    assert all(each.tag_probs.sum() == len(each.tags) for each in found)
    return [tag for each in found for tag in each.tags]


@given(ANY_TEXT, st.integers(1, 9))
def test_sentences_cover_all_tokens_and_rows_fit(text: str, longest: int) -> None:
    document = document_of_text(text, max_sentence_tokens=longest)
    covered = [place for start, end in document.sentences for place in range(start, end)]
    assert covered == list(range(len(document.tokens)))
    assert all(1 <= len(row) <= longest and all(row) for row in document.rows)
    tagged = [answer(["O"] * len(row)) for row in document.rows]
    assert [tag for each in document.sentences_of(tagged, TAGS) for tag in each.tags] == ["O"] * len(document.tokens)


@given(st.lists(st.text(min_size=1, max_size=5), max_size=30), st.integers(1, 8))
def test_given_tokens_keep_their_number_and_place(words: list[str], longest: int) -> None:
    document = document_of_tokens(words, max_sentence_tokens=longest)
    assert [token.text for token in document.tokens] == words
    assert all(document.text[token.start : token.end] == token.text for token in document.tokens)
    assert all(1 <= len(row) <= longest for row in document.rows)


def test_given_tokens_are_one_sentence_when_they_fit() -> None:
    words = ["One", ".", "Two", ".", "Three", "."]
    assert document_of_tokens(words, max_sentence_tokens=6).rows == [words]


def test_a_symbol_is_no_token_of_the_row() -> None:
    document = document_of_text("Adele 🔥 sang in Rome† today²", max_sentence_tokens=9)
    assert document.rows == [["Adele", "sang", "in", "Rome", "today"]]
    assert tags_of(document, "S-PER O O S-LOC O") == ["S-PER", "O", "O", "O", "S-LOC", "O", "O", "O"]


def test_a_symbol_between_two_names_parts_them() -> None:
    assert document_of_text("Paris 🔥 Rome", max_sentence_tokens=9).rows == [["Paris", ",", "Rome"]]


def test_an_underscore_within_a_name_is_inside_it() -> None:
    document = document_of_text("John_Smith left", max_sentence_tokens=9)
    assert document.rows == [["John", "Smith", "left"]]
    assert tags_of(document, "B-PER E-PER O") == ["B-PER", "I-PER", "E-PER", "O"]


def test_a_text_of_symbols_alone_has_tokens_but_no_row() -> None:
    document = document_of_text("🔥 †", max_sentence_tokens=9)
    assert document.rows == []
    assert tags_of(document) == ["O", "O"]


def test_symbols_end_no_sentence_and_begin_none() -> None:
    document = document_of_text("He left! 🔥 She stayed.", max_sentence_tokens=9)
    assert document.rows == [["He", "left", "!"], ["She", "stayed", "."]]
    assert document.sentences == [(0, 4), (4, 7)]


def test_a_name_at_the_cut_is_whole() -> None:
    document = document_of_tokens(list("abcdefghijkl"), max_sentence_tokens=8)
    assert ["".join(row) for row in document.rows] == ["abcdefgh", "ghijkl"]
    assert tags_of(document, "O O O O O O O S-PER", "O B-PER E-PER O O O") == [*"OOOOOOO", "B-PER", "E-PER", *"OOO"]
    assert tags_of(document, "O O O O O O O S-PER", "O O O O O O")[6:8] == ["O", "O"]


def test_a_token_in_two_rows_has_the_answer_of_the_row_whose_edge_is_farther() -> None:
    document = document_of_tokens(list("abcdefghijkl"), max_sentence_tokens=8)
    rows = [answer(["O"] * 8), answer(["O"] * 6)]
    assert document.sentences_of(rows, TAGS)[0].span_probs.tolist() == [1, 2, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700])
def test_long_sentences_come_back_whole(size: int) -> None:
    document = document_of_text("so " * size, max_sentence_tokens=256)
    assert document.sentences == [(0, size)]
    assert max(map(len, document.rows)) <= 256
    found = document.sentences_of([answer(["O"] * len(row)) for row in document.rows], TAGS)
    assert [len(each.tags) for each in found] == [size]
