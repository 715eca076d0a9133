"""Tokens: exact offsets for any text, and the borders of the English Web Treebank."""

import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seqserve.text.tokenization import is_paragraph_break, tokenize, without_invisible

SENTENCES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "fixtures/raw_text/uner_ewt.jsonl").read_bytes().decode().split("\n")
    if line
]
# Drawn often, since chance alone seldom puts them side by side.
TELLING = st.sampled_from(
    list("aIZnts059.,:;-_'’`@#/&()!?*=<>^ \n\r\t\"“”…é北한\u0301\u200d\ufe0f\U0001f3fb\U0001f468\U0001f1e9\0\ud800")
)
TEXTS = st.text(st.one_of(TELLING, st.characters()), max_size=60)


def parted(text: str) -> str:
    return " ".join(token.text for token in tokenize(text))


@given(TEXTS)
@example("can't've cannot Mr. U.S. No. 5 No.\n\nhttp://a.b. x@y.z @you 1,000.50 5pm e-mail")
@example("\r\n\r\n\u2029.\x85\xa0")
def test_every_code_point_that_is_no_space_is_in_exactly_one_token(text: str) -> None:
    tokens = tokenize(text)
    covered = [place for token in tokens for place in range(token.start, token.end)]
    shown = [place for place, character in enumerate(text) if not character.isspace() and without_invisible(character)]
    assert set(shown) <= set(covered) <= set(range(len(text)))
    assert len(covered) == len(set(covered))
    assert not any(token.text[0].isspace() or not without_invisible(token.text) for token in tokens)
    assert all(token.text == text[token.start : token.end] and token.text for token in tokens)


@given(TEXTS)
def test_a_mark_stays_with_its_base(text: str) -> None:
    for token in tokenize(text):
        before = without_invisible(text[: token.start])
        first_of_piece = not before or before[-1].isspace()
        assert first_of_piece or unicodedata.category(token.text[0])[0] != "M"


@given(TEXTS, st.integers(0, 10))
def test_a_limit_gives_one_token_more_at_most(text: str, limit: int) -> None:
    limited = tokenize(text, limit=limit)
    assert len(limited) == min(limit + 1, len(tokenize(text)))


@given(TEXTS, TEXTS)
def test_a_paragraph_is_split_alike_wherever_it_stands(first: str, second: str) -> None:
    together = tokenize(f"{first}\n\n{second}")
    assert [token.text for token in together] == [token.text for text in (first, second) for token in tokenize(text)]


@pytest.mark.parametrize(
    "tokens",
    [
        'He said , " Teddy Roosevelt was a great President . "',
        "do n't ca n't Wo N'T should n't 've it 's I 'm we 're you 'll he 'd Tom ’s is n’t",
        "can not gon na Wan na do nt",
        "O'Connell 's 70's Sha'lan",
        "Dr. Smith and Mr. J. R. Jones of Acme Inc. in St. Louis",
        "U.S. troops at 5 a.m. today",
        "No. 5 is alive",
        "in the U.S .",
        "cats , dogs etc .",
        "state - of - the - art e-mail anti-war non-U x-ray",
        "and / or 9/11 11/28/2000 b/c",
        "$ 5 1,000.50 5 pm 10 k 4th 1990s 100 % 713-853-3989 5:30",
        "http://www.a.org/b?c=d,e . www.igourmet.com , paulhastings.com notes.doc",
        "( see first.last+x@mail.example.com )",
        "RT @some_user : #MadeUp rocks !!! ... ?! -- $$$ :) ;-) <3",
        "PG&E AT&T A & B",
        "Yes . ” “ No '",
        "the end . Next",
        "GCP_London ______ a.b",
        "hello \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd \U0001f1e9\U0001f1ea 1\ufe0f\u20e3 !",
        "北京大学 , 東京 。",
        "हिन्दी שָׁלוֹם العَرَبِيَّة ไทย 한국어",
        "cafe\u0301 Zoe\u0308",
        "\u1112\u1161\u11ab\u1100\u1173\u11af",
    ],
    ids=lambda tokens: ascii(tokens[:24]),
)
def test_tokens_are_those_of_the_treebank(tokens: str) -> None:
    assert parted(tokens) == tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ('He said, "Teddy bears are on sale!"', 'He said , " Teddy bears are on sale ! "'),
        ("don't CAN'T shouldn't've it's", "do n't CA N'T should n't 've it 's"),
        ("cannot Gonna gimme", "can not Gon na gim me"),
        ("(Harry's)", "( Harry 's )"),
        ("'Harry' \"Potter\" “Ron”’s", "' Harry ' \" Potter \" “ Ron ” ’s"),
        ("the dogs' bones", "the dogs ' bones"),
        ("Mary-Jane's London-based", "Mary - Jane 's London - based"),
        ("$5.50 and 20% of 10kg at 5pm", "$ 5.50 and 20 % of 10 kg at 5 pm"),
        ("No. I won't.", "No . I wo n't ."),
        ("Apple Inc.\n\nNext", "Apple Inc . Next"),
        ("Apple Inc.\nNext", "Apple Inc. Next"),
        ("See http://a.b/c.", "See http://a.b/c ."),
        ("<http://a.b/c>", "< http://a.b/c >"),
        ("Wait...what?!", "Wait ... what ?!"),
        ("Harry,Ron;Hermione", "Harry , Ron ; Hermione"),
        ("\ufeffHarry", "Harry"),
        ("北京。東京", "北京 。 東京"),
        ("a\u200bb\0c d\u2060", "a\u200bb\0c d"),
        ("don\u00ad't \u200bMr. \u2068U.S.\u2069", "do n\u00ad't \u200bMr. U.S ."),
        ("Merkel² km²", "Merkel ² km ²"),
        ("&quot;AT&amp;T&quot; a&b;", "&quot; AT&amp;T &quot; a&b ;"),
        ("John_Smith", "John _ Smith"),
        ("do_admit GWS_Giants", "do_admit GWS_Giants"),
        ("Kingston, Ont.; Jul., Yes.", "Kingston , Ont. ; Jul. , Yes ."),
        ("ｄｏｎ’ｔ 𝐃𝐫. Ｕ．Ｓ．", "ｄｏ ｎ’ｔ 𝐃𝐫. Ｕ．Ｓ．"),
        ("Smith\u200d, left", "Smith , left"),
        ("x\ud800y", "x \ud800 y"),
        ("can\u0301not", "can\u0301not"),
    ],
    ids=lambda value: ascii(value[:20]),
)
def test_joined_text_is_parted(text: str, tokens: str) -> None:
    assert parted(text) == tokens


def test_a_text_without_tokens_gives_none() -> None:
    assert tokenize("") == tokenize(" \t\r\n\x1c\x85\xa0\u2003\u2028\u3000") == []


def test_borders_of_the_treebank_are_found() -> None:
    gold = {(number, *token) for number, row in enumerate(SENTENCES) for token in row["tokens"]}
    found = {
        (number, token.start, token.end) for number, row in enumerate(SENTENCES) for token in tokenize(row["text"])
    }
    f1 = 2 * len(gold & found) / (len(gold) + len(found))
    assert f1 > 0.99, f"token F1 {f1:.4f}: missed {sorted(gold - found)[:5]}, made {sorted(found - gold)[:5]}"


def test_every_name_begins_and_ends_with_a_token() -> None:
    lost = []
    for row in SENTENCES:
        tokens = tokenize(row["text"])
        starts, ends = {token.start for token in tokens}, {token.end for token in tokens}
        lost += [row["text"][start:end] for _, start, end in row["spans"] if start not in starts or end not in ends]
    assert not lost


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "a",
            ".",
            "'",
            "-a",
            "http:",
            "http://.",
            "\u0301\u0323",
            "a.",
            "1.",
            "1-",
            "@",
            "a@",
            "a's",
            "_",
            "a_",
            "www.",
        ),
        *(
            "a.com/",
            "\U0001f469\u200d",
            "\U0001f1e6",
            '"',
            "北。",
            "\u1112\u1161\u11ab",
            "\0",
            " ",
            "\n",
            "Mr. ",
            "No.",
        ),
        *("-=", "non-", "^_", "alt.", "\ud800", "12-123-", "a\n\n", " \r", "i.e", "x&y", "'s"),
    ],
    ids=ascii,
)
@pytest.mark.timeout(30)  # squared time would take most of a minute
def test_repetition_costs_no_more_than_its_length(unit: str) -> None:
    text = unit * (60_000 // len(unit)) + "\u0301"
    shown = "".join(without_invisible(text).split())
    assert "".join(without_invisible(token.text) for token in tokenize(text)) == shown


@pytest.mark.parametrize(
    ("space", "is_break"),
    [
        (" ", False),
        ("\n", False),
        ("\r\n", False),
        ("\n\n", True),
        ("\r\n \t\r\n", True),
        ("\r\r", True),
        ("\u2029", True),
    ],
    ids=ascii,
)
def test_a_blank_line_is_a_paragraph_break(space: str, is_break: bool) -> None:
    assert is_paragraph_break(f"a{space}b", 1, 1 + len(space)) is is_break
    assert not re.search(r"\S", space)
