"""White space and characters as tokens, with offsets of the text as it was sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.text.tokenizers import TOKENIZERS, split_characters, split_whitespace


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


@pytest.mark.parametrize("name", TOKENIZERS)
@pytest.mark.parametrize(("limit", "found"), [(None, 6), (10, 6), (6, 6), (5, 6), (2, 3)])
def test_with_a_limit_one_more_is_found(name: str, limit: int | None, found: int) -> None:
    text = "a\nb é" if name == "characters" else "a b c  d e f"
    text += "." if name == "characters" else ""
    assert len(TOKENIZERS[name](text, limit=limit)) == found
