"""French text to tokens and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.text.detokenization import Detokenizer
from seqserve.text.french import tokenize_french
from seqserve.text.tokenizers import TOKENIZERS

SENTENCES = {
    "elision": ("J'ai dit qu'il l'a vue.", "J' ai dit qu' il l' a vue ."),
    "inversion": ("Qu'a-t-il dit ?", "Qu' a -t -il dit ?"),
    "expression": ("Est-ce que c'est grand-chose ?", "Est -ce que c' est grand -chose ?"),
    "a word with its own apostrophe": ("Va-t'en aujourd'hui !", "Va - t' en aujourd' hui !"),
    "punctuation": ("Oui, mais non ; si : peut-être...", "Oui , mais non ; si : peut -être ..."),
    "quotes": ('"Oui", dit-il. "Non !"', '" Oui " , dit -il . " Non ! "'),
    "guillemets": ("Il a dit « oui ».", "Il a dit « oui » ."),
    "brackets": ("Elles (toutes) rient [fort].", "Elles ( toutes ) rient [ fort ] ."),
    "numbers": ("Il coûte 3,50 $ à 14h30.", "Il coûte 3,50 $ à 14h30 ."),
    "a dash": ("Lui - ou elle.", "Lui - ou elle ."),
}


def written(forms: list[str]) -> str:
    detokenizer = Detokenizer("seqserve-fr-1")
    return "".join(detokenizer.push(form) for form in forms)


@pytest.mark.parametrize(("text", "tokens"), SENTENCES.values(), ids=SENTENCES)
def test_tokens(text: str, tokens: str) -> None:
    assert [token.text for token in tokenize_french(text)] == tokens.split()


@pytest.mark.parametrize(
    "text",
    [text for text, _ in SENTENCES.values() if text != "Lui - ou elle."],
    ids=[n for n in SENTENCES if n != "a dash"],
)
def test_tokens_give_the_text_again(text: str) -> None:
    assert written([token.text for token in tokenize_french(text)]) == text


@pytest.mark.parametrize("space", ["\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}", ""])
def test_the_space_before_a_mark_becomes_a_plain_one(space: str) -> None:
    assert written([token.text for token in tokenize_french(f"Vraiment{space}?")]) == "Vraiment ?"


def test_marks_stay_on_their_letters() -> None:
    assert [token.text for token in tokenize_french("l'e\u0301te\u0301 -e\u0301")] == [
        "l'",
        "e\u0301te\u0301",
        "-",
        "e\u0301",
    ]


@given(st.text())
def test_tokens_hold_all_that_is_no_white_space_in_order(text: str) -> None:
    tokens = tokenize_french(text)
    assert all(text[token.start : token.end] == token.text for token in tokens)
    assert "".join(token.text for token in tokens) == "".join(text.split())
    assert tokenize_french(text, limit=2) == tokens[:3]


def test_it_has_its_name() -> None:
    assert TOKENIZERS["seqserve-fr-1"] is tokenize_french


@pytest.mark.parametrize(
    "text", ["a" * 200_000, "1." * 100_000 + "x", "a'" * 100_000, "-a" * 100_000, "a\u0301" * 100_000]
)
def test_time_grows_with_the_text(text: str) -> None:
    assert tokenize_french(text)  # quadratic time would run into the limit of a test
