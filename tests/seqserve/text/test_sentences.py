"""Sentences: ranges that cover all tokens, cut where a reader would."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.text.sentences import split_sentences
from seqserve.text.tokenization import tokenize

LINES = (Path(__file__).parents[2] / "fixtures/raw_text/uner_ewt.jsonl").read_bytes().decode().splitlines()
TEXTS = st.text(st.one_of(st.sampled_from(list("aA1.!?\"'”) \n。")), st.characters()), max_size=60)


def pieces(text: str, max_tokens: int = 256) -> list[str]:
    tokens = tokenize(text)
    ranges = split_sentences(text, tokens, max_tokens=max_tokens)
    return [text[tokens[start].start : tokens[end - 1].end] for start, end in ranges]


@given(TEXTS, st.integers(1, 6))
def test_sentences_cover_all_tokens_in_order(text: str, max_tokens: int) -> None:
    tokens = tokenize(text)
    ranges = split_sentences(text, tokens, max_tokens=max_tokens)
    assert [place for start, end in ranges for place in range(start, end)] == list(range(len(tokens)))
    assert all(0 < end - start <= max_tokens for start, end in ranges)


@given(st.lists(TEXTS, max_size=4))
def test_a_blank_line_always_splits(paragraphs: list[str]) -> None:
    together = "\n\n".join(paragraphs)
    assert pieces(together) == [piece for paragraph in paragraphs for piece in pieces(paragraph)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["Harry left.", "Ron stayed!", "Did Hermione?", "5 did."],
        ['He said, "Go."', "She went."],
        ["“Go.”", "“No!”", "He left."],
        ["(He left.)", "She stayed."],
        ["[See 5.]", "'Yes.'", "No."],
        ["Mr. J. R. Smith of St. Louis met Dr. Brown."],
        ["The U.S. Army and Acme Inc. agreed."],
        ["It costs 5.50 dollars at a.b.com today."],
        ["Cats, dogs etc. and so on."],
        ["Wait... what?", "Wait...", "What?"],
        ["No. 5 won.", "No.", "I lost."],
        ["1. Harry left.", "2. Ron stayed."],
        ["Really?!", "Yes!!!", "Ok."],
        ["Он ушёл.", "Она осталась."],
        ["He left.", "北京 is big."],
        ['"Really?" he said.'],
        ["it ended. then it went on"],
    ],
    ids=lambda sentences: sentences[0],
)
def test_sentences_are_split_where_a_reader_would(sentences: list[str]) -> None:
    assert pieces(" ".join(sentences)) == sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("He left . Ron stayed .", ["He left .", "Ron stayed ."]),
        ('He said " Go . " She went .', ['He said " Go . "', "She went ."]),
        ("北京很大。上海也大！是吗？是。", ["北京很大。", "上海也大！", "是吗？", "是。"]),
        ("Dear Ron,\n\nHarry left\r\n\r\nHermione", ["Dear Ron,", "Harry left", "Hermione"]),
        ("a line\nthat goes on", ["a line\nthat goes on"]),
        ("He left.\nRon stayed.", ["He left.", "Ron stayed."]),
        ("He left.Ron stayed.", ["He left.Ron stayed."]),
        ("", []),
        (" \n\n ", []),
        ("...", ["..."]),
    ],
    ids=lambda value: ascii(value[:16]) if isinstance(value, str) else "",
)
def test_spacing_is_minded(text: str, sentences: list[str]) -> None:
    assert pieces(text) == sentences


def test_single_sentences_of_the_treebank_stay_whole() -> None:
    texts = [json.loads(line)["text"] for line in LINES]
    split = [pieces(text) for text in texts if len(pieces(text)) > 1]
    assert len(split) <= len(texts) // 100, split


def test_a_long_sentence_is_cut_after_punctuation() -> None:
    assert pieces("a b c d, e f g h i j", max_tokens=6) == ["a b c d,", "e f g h i j"]
    assert pieces("a, b c d e f g h", max_tokens=4) == ["a, b c", "d e f g", "h"]


def test_no_room_for_a_token_is_refused() -> None:
    with pytest.raises(ValueError, match="max_tokens must be at least 1, not 0"):
        split_sentences("a", tokenize("a"), max_tokens=0)
