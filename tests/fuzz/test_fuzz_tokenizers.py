"""Every tokeniser, for any text: exact offsets, nothing lost, time that grows with the text, and text again."""

import copy
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqserve.text.detokenization import Detokenizer
from seqserve.text.tokenization import Token, without_invisible
from seqserve.text.tokenizers import TOKENIZERS
from tests.fuzz.strategies import LONG_TEXTS, TEXTS, patient

SECONDS_PER_TEXT = 5.0
"""Far above what 20,000 code points take anywhere; squared time would take minutes."""

WITHOUT_INVISIBLE = ("seqserve-en-1", "seqserve-fr-1")

each_tokenizer = pytest.mark.parametrize("name", TOKENIZERS)


def check_offsets(name: str, text: str, tokens: list[Token]) -> None:
    """Check that tokens stand in order, are what the text holds there, and leave out white space alone."""
    position = 0
    for token in tokens:
        assert position <= token.start < token.end <= len(text)
        assert token.text == text[token.start : token.end]
        gap = (
            without_invisible(text[position : token.start])
            if name in WITHOUT_INVISIBLE
            else text[position : token.start]
        )
        assert not gap or (gap.isspace() and name != "characters")
        position = token.end


def check_nothing_is_lost(name: str, text: str, tokens: list[Token]) -> None:
    check_offsets(name, text, tokens)
    rest = text[tokens[-1].end if tokens else 0 :]
    if name in WITHOUT_INVISIBLE:
        rest = without_invisible(rest)
    assert not rest or (rest.isspace() and name != "characters")


@each_tokenizer
@patient
@given(text=TEXTS)
def test_tokens_are_exactly_what_stands_there(name: str, text: str) -> None:
    tokens = TOKENIZERS[name](text)
    check_nothing_is_lost(name, text, tokens)
    if name != "characters":
        assert not any(character.isspace() for token in tokens for character in token.text)


@each_tokenizer
@patient
@given(text=TEXTS, limit=st.integers(0, 12))
def test_a_limited_text_has_exact_tokens_too(name: str, text: str, limit: int) -> None:
    limited, everything = TOKENIZERS[name](text, limit=limit), TOKENIZERS[name](text)
    check_offsets(name, text, limited)
    assert len(limited) == min(limit + 1, len(everything))
    # The token after which the search ended may have been parted further, had it gone on.
    assert limited[:-1] == everything[: len(limited)][:-1]


@each_tokenizer
@settings(patient, max_examples=30)
@given(text=LONG_TEXTS)
def test_long_repetitions_take_no_long_time(name: str, text: str) -> None:
    started = time.process_time()
    tokens = TOKENIZERS[name](text)
    written = Detokenizer(name)
    for token in tokens[:5_000]:
        written.push(token.text)
    assert time.process_time() - started < SECONDS_PER_TEXT
    check_nothing_is_lost(name, text, tokens)


@each_tokenizer
@patient
@given(text=TEXTS)
def test_tokens_are_written_whole_with_nothing_but_spaces_between(name: str, text: str) -> None:
    forms = [token.text for token in TOKENIZERS[name](text)]
    detokenizer = Detokenizer(name)
    pieces = [detokenizer.push(form) for form in forms]
    spaces = ("",) if name == "characters" else ("", " ")
    for piece, form in zip(pieces, forms, strict=True):
        assert piece.endswith(form)
        assert piece[: len(piece) - len(form)] in spaces
    assert not pieces or pieces[0] == forms[0]


@patient
@given(text=TEXTS)
def test_characters_come_back_as_they_were(text: str) -> None:
    detokenizer = Detokenizer("characters")
    assert "".join(detokenizer.push(token.text) for token in TOKENIZERS["characters"](text)) == text


@patient
@given(text=TEXTS)
def test_words_between_white_space_come_back_as_tokens(text: str) -> None:
    forms = [token.text for token in TOKENIZERS["whitespace"](text)]
    detokenizer = Detokenizer("whitespace")
    written = "".join(detokenizer.push(form) for form in forms)
    assert [token.text for token in TOKENIZERS["whitespace"](written)] == forms


@each_tokenizer
@patient
@given(text=TEXTS, place=st.integers(0, 40))
def test_a_copy_of_a_detokenizer_goes_on_as_the_first_would(name: str, text: str, place: int) -> None:
    """Each sample writes on with a copy of what has read the prompt."""
    forms = [token.text for token in TOKENIZERS[name](text)]
    first = Detokenizer(name)
    for form in forms[:place]:
        first.push(form)
    second = copy.deepcopy(first)
    assert [first.push(form) for form in forms[place:]] == [second.push(form) for form in forms[place:]]
