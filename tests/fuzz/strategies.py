"""Texts and bodies that nobody would send in good faith."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

patient = settings(deadline=None)
"""For every test here: how long an example takes depends on who else uses the machine."""

PIECES = (
    *("a", "Z", "é", "e\u0301", "ß", "北", "한", "\u1112\u1161\u11ab", "हिन्", "שָׁ", "العَ", "ไท", "\u0301\u0323\u0489"),
    *("\ud800", "\udc00", "\udfff\ud800", "\0", "\x1b", "\x7f", "\x85", "\ufffe", "\uffff", "\U0010ffff"),
    *("\r\n", "\r", "\n", "\n\n", "\t", " ", "\u00a0", "\u2003", "\u2028", "\u2029", "\u3000", "\x1c"),
    *("\u200b", "\u200d", "\u200e", "\u202e", "\u2066", "\u2069", "\ufeff", "\u00ad", "\ufe0f"),
    *("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f44d\U0001f3fd", "\U0001f1e9\U0001f1ea", "1\ufe0f\u20e3"),
    *(
        ".",
        "...",
        ",",
        "'",
        "’",
        "''",
        '"',
        "“",
        "”",
        "«",
        "»",
        "-",
        "--",
        "–",
        "_",
        "/",
        "\\",
        "(",
        "]",
        "!",
        "?",
        "。",
    ),
    *("n't", "'s", "l'", "-t-", "qu'", "U.S.", "Mr.", "etc.", "No.", "cannot", "http://", "www.", "a@b.c", "#"),
    *("@x", "1", "3,50", "10:30", "$", "%", "<EOS>", "<UNK>", "<unk>", "O", "B-PER"),
)
"""What tokenisers, sentence splitting and spacing look at, and what they must not stumble over."""

TEXTS = st.lists(st.sampled_from(PIECES) | st.text(st.characters(), max_size=4), max_size=40).map("".join)
"""Texts of any code points, lone surrogates too."""

LONG_TEXTS = st.builds(
    lambda before, unit, number, after: before + unit * (number // len(unit)) + after,
    TEXTS,
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join),
    st.integers(1, 20_000),
    TEXTS,
)
"""One thing repeated for up to 20,000 code points: words, runs and sentences far beyond what is usual."""

NUMBERS = st.one_of(
    st.integers(),
    st.integers(-1_000_000, 1_000_000).map(lambda thousandths: thousandths / 1000),
    st.sampled_from([0, -1, 1, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**400, 1e308, -0.0, 5e-324, 1.0]),
)
"""Not st.floats: a session that a test before has opened sets denormal numbers to zero, which hypothesis refuses."""

SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    NUMBERS,
    st.text(max_size=8),
    st.sampled_from(["", "tokens", "tag_probs", "PER", "tiny-ner", "tiny-lm", "tiny-char-lm", "none", "a b c", "\0"]),
)

JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)
"""Any JSON."""
