"""Symbols and markup that stand beside names and are no part of them."""

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.text_robustness.transformations import Transformation, around_names, each_as

_AFTER = {
    "emoji after, spaced": " \U0001f525",
    "emoji after": "\U0001f389",
    "heart after": "\u2764\ufe0f",
    "flag after": "\U0001f1eb\U0001f1f7",
    "flag after, spaced": " \U0001f1ef\U0001f1f5",
    "family after": " \U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "skin tone after": " \U0001f44d\U0001f3fd",
    "keycap after": " 1\ufe0f\u20e3",
    "dagger": "\u2020",
    "double dagger": "\u2021",
    "asterisk": "*",
    "registered": "\u00ae",
    "trade mark": "\u2122",
    "copyright": "\u00a9",
    "superscript digit": "\u00b2",
    "superscript digits": "\u00b9\u2074",
    "footnote [1]": "[1]",
    "footnote [citation needed]": "[citation needed]",
    "NUL after": "\x00",
    "BEL after": "\x07",
    "U+FFFD after": "\ufffd",
    "private use after": "\ue000",
    "arrow after": " \u2192",
    "star after": "\u2605",
    "&nbsp; after": "&nbsp;",
}

_BEFORE = {
    "emoji before": "\U0001f3a4 ",
    "emoji before, touching": "\U0001f4a9",
    "flag before": "\U0001f1e9\U0001f1ea ",
    "tick before": "\u2713 ",
    "asterisk before": "*",
    "ESC before": "\x1b",
    "copyright before": "\u00a9 ",
}

_AROUND = {
    "guillemets": ("\u00ab", "\u00bb"),
    "spaced guillemets": ("\u00ab\u00a0", "\u00a0\u00bb"),
    "single guillemets": ("\u2039", "\u203a"),
    "low quotes": ("\u201e", "\u201c"),
    "curly double quotes": ("\u201c", "\u201d"),
    "curly single quotes": ("\u2018", "\u2019"),
    "straight quotes": ('"', '"'),
    "parentheses": ("(", ")"),
    "square brackets": ("[", "]"),
    "NUL around": ("\x00", "\x00"),
    "U+FFFD around": ("\ufffd", "\ufffd"),
    "&quot;": ("&quot;", "&quot;"),
    "&ldquo;": ("&ldquo;", "&rdquo;"),
    "&lt;b&gt;": ("&lt;b&gt;", "&lt;/b&gt;"),
    "<b>": ("<b>", "</b>"),
    "<a href>": ('<a href="https://example.org/x">', "</a>"),
    "markdown bold": ("**", "**"),
    "markdown emphasis": ("_", "_"),
    "markdown code": ("`", "`"),
    "markdown link": ("[", "](https://example.org/x)"),
    "wiki link": ("[[", "]]"),
}

_ESCAPES = {"&": "&amp;", "'": "&#39;", '"': "&quot;", "<": "&lt;", ">": "&gt;"}

SYMBOLS: Mapping[str, Transformation] = MappingProxyType(
    {
        **{title: around_names("", right) for title, right in _AFTER.items()},
        **{title: around_names(left, "") for title, left in _BEFORE.items()},
        **{title: around_names(left, right) for title, (left, right) in _AROUND.items()},
        "&nbsp; for each space": each_as(lambda character: "&nbsp;" if character == " " else character),
        "HTML escapes (&amp; &#39;)": each_as(lambda character: _ESCAPES.get(character, character)),
    }
)
