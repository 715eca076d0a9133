"""What is read of a token."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.text.forms import SYMBOL, form_of, is_readable, reading


@pytest.mark.parametrize(
    ("token", "form"),
    [
        ("London", "London"),
        ("Ｌｏｎｄｏｎ", "London"),
        ("ﬁsh", "fish"),
        ("cafe\u0301", "café"),
        ("Ber\u00adlin", "Berlin"),
        ("\u200bMay", "May"),
        ("AT&amp;T", "AT&T"),
        ("&quot;", '"'),
        ("&nbsp;", ""),
        ("&nosuch;", "&nosuch;"),
        ("“", '"'),
        ("„", '"'),
        ("«", '"'),
        ("``", '"'),
        ("’s", "'s"),
        ("—", "--"),
        ("…", "..."),
        ("_", ""),
        ("🔥", SYMBOL),
        ("🇫🇷", SYMBOL),
        ("1️⃣", SYMBOL),
        ("†", SYMBOL),
        ("²", SYMBOL),
        ("⁷", SYMBOL),
        ("\u200b-", "-"),
        ("™", SYMBOL),
        ("\ufffd", SYMBOL),
        ("\ue000", SYMBOL),
        ("$", "$"),
        ("@", "@"),
        ("東京", "東京"),
    ],
    ids=ascii,
)
def test_forms(token: str, form: str) -> None:
    assert form_of(token) == form


@given(st.text(min_size=1, max_size=6))
def test_a_form_holds_no_white_space_and_nothing_invisible(token: str) -> None:
    assert not any(c.isspace() or unicodedata.category(c) == "Cc" for c in form_of(token))


@given(st.text(min_size=1, max_size=6))
def test_a_form_is_read_as_itself(token: str) -> None:
    form = form_of(token)
    assert form in ("", SYMBOL) or "&" in form or form_of(form) == form


@pytest.mark.parametrize(
    ("tokens", "forms", "kept"),
    [
        ("He left", "He left", None),
        ("Paris 🔥 Rome", "Paris , Rome", [0, 1, 2]),
        ("paris 🔥 rome", "paris , rome", [0, 1, 2]),
        ("Met 🔥 in Rome", "Met in Rome", [0, 2, 3]),
        ("🔥 Rome †", "Rome", [1]),
        ("Rome 🔥 !", "Rome !", [0, 2]),
        ("A 🔥 † B", "A , B", [0, 1, 3]),
        ("_ _", "", []),
    ],
    ids=ascii,
)
def test_rows(tokens: str, forms: str, kept: list[int] | None) -> None:
    assert reading(tokens.split()) == (forms.split(), kept)


def test_symbols_alone_cannot_be_read() -> None:
    assert is_readable(["🔥", "a"])
    assert not is_readable(["🔥", "_", "&nbsp;"])


@pytest.mark.timeout(10)  # squared time would take minutes
@pytest.mark.parametrize(
    "token", ["e" + "\u0301" * 200_000, "\u200b" * 200_000, "&amp;" * 40_000], ids=["marks", "zwsp", "amp"]
)
def test_a_long_token_costs_no_more_than_its_length(token: str) -> None:
    assert len(form_of(token)) <= len(token)


@pytest.mark.timeout(10)
def test_many_symbols_cost_no_more_than_their_number() -> None:
    assert reading(["Paris", *["🔥"] * 100_000, "Rome"]) == (["Paris", ",", "Rome"], [0, 1, 100_001])
