"""White space and characters as tokens, with offsets of the text as it was sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.text.tokenization import tokenize, tokenize_unended
from seqserve.text.tokenizers import (
    TOKENIZERS,
    TOKENIZERS_OF_UNENDED,
    Tokenizer,
    split_characters,
    split_whitespace,
)


@given(st.text())
def test_white_space_is_that_of_str_split(text: str) -> None:
    tokens = split_whitespace(text)
    assert [token.text for token in tokens] == text.split()
    assert all(text[token.start : token.end] == token.text for token in tokens)


@given(st.text())
def test_every_code_point_is_a_token(text: str) -> None:
    tokens = split_characters(text)
    assert [(token.text, token.start, token.end) for token in tokens] == [
        (character, place, place + 1) for place, character in enumerate(text)
    ]


@pytest.mark.parametrize("tokenizers", [TOKENIZERS, TOKENIZERS_OF_UNENDED], ids=["ended", "unended"])
@pytest.mark.parametrize("name", TOKENIZERS)
@pytest.mark.parametrize(("limit", "found"), [(None, 6), (10, 6), (6, 6), (5, 6), (2, 3)])
def test_with_a_limit_one_more_is_found(
    tokenizers: dict[str, Tokenizer], name: str, limit: int | None, found: int
) -> None:
    text = "a\nb é" if name == "characters" else "a b c  d e f"
    text += "." if name == "characters" else ""
    assert len(tokenizers[name](text, limit=limit)) == found


@pytest.mark.parametrize("text", ["I went to see Mr.", "at 5 p.m.", "cats, dogs etc.", "No.", "of J."])
def test_an_abbreviation_at_the_end_of_a_text_that_goes_on_keeps_its_period(text: str) -> None:
    assert tokenize_unended(text)[-1].text == text.split()[-1]


@pytest.mark.parametrize("text", ["Mr. Smith", "He met Mr.\n\nSmith", "No. He left", "He left."])
def test_elsewhere_a_text_that_goes_on_is_split_as_any_other(text: str) -> None:
    assert tokenize_unended(text) == tokenize(text)
