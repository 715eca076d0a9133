"""What models read of a token: its form without typography, or nothing where nothing is to be read.

A tagger reads rows of forms (`reading`). A language model looks single forms up (the look-up step "plain").
"""

import functools
import html
import re
import unicodedata
from collections.abc import Iterable, Sequence

from seqserve.text.tokenization import SUPERSCRIPTS, without_invisible

SYMBOL = "\N{OBJECT REPLACEMENT CHARACTER}"
"""The form of a token that shows something but says nothing: an emoji, a flag, a dagger, a footnote's number."""

_SEPARATOR = ","  # what a symbol between two words of a list is read as
_LONGEST_REMEMBERED = 64
_LONGEST_READ = 256  # no vocabulary has longer words, and NFKC sorts marks in squared time
_SYMBOL_CATEGORIES = frozenset(("So", "Sk", "Sm", "Co", "Cn", "Cs"))
_SIGNS = frozenset("\u00a7\u00b6\u00b7\u2020\u2021\u2022\u2023\u2027\u203b\u2043\u2051\u2055" + SUPERSCRIPTS)
_KEYCAP = "\u20e3"
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u301d\u301e", '"'),
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2039\u203a\u2032\u00b4", "'"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"),
        **dict.fromkeys("\u2014\u2015", "--"),
    }
)
_CHANGED = re.compile(r"[\0-\x08\x0e-\x1b\x7f&_`]")  # ASCII that is not read as it stands
_TREEBANK = {"``": '"', "''": '"'}


def reading(tokens: Sequence[str]) -> tuple[list[str], list[int] | None]:
    """Return the forms that a tagger reads of tokens, and the places (T,) of their tokens; None: one for each token.

    A symbol is left out, so that words before and after it read as without it. Between two words that are both
    capitalised, or both not, it is read as a comma: there it parts the items of a list.
    """
    forms = list(map(form_of, tokens))
    if SYMBOL not in forms and "" not in forms:
        return forms, None
    kept: list[int] = []
    symbol = None  # the first of those since the last word
    for place, form in enumerate(forms):
        if form == SYMBOL:
            symbol = place if symbol is None else symbol
        elif form:
            if symbol is not None and kept and _are_alike(forms[kept[-1]], form):
                forms[symbol] = _SEPARATOR
                kept.append(symbol)
            symbol = None
            kept.append(place)
    return [forms[place] for place in kept], kept


def _are_alike(before: str, after: str) -> bool:
    """Say whether both are words, and both capitalised or both not."""
    return before[0].isalnum() and after[0].isalnum() and before[0].isupper() == after[0].isupper()


def reads_as_written(text: str) -> bool:
    """Say whether every token of a text is certainly read as it stands, at a tenth of the cost of `reading`."""
    return text.isascii() and "''" not in text and not _CHANGED.search(text)


def is_readable(tokens: Iterable[str]) -> bool:
    """Say whether there is anything to read in tokens."""
    return any(form_of(token) not in ("", SYMBOL) for token in tokens)


def form_of(token: str) -> str:
    """Return what is read of a token by itself; `SYMBOL` for a sign, "" where there is nothing to read.

    Character references are decoded, quotes and dashes straightened, compatibility forms replaced by what they stand
    for (NFKC), and invisible characters left out.
    """
    return _remembered(token) if len(token) <= _LONGEST_REMEMBERED else _form_of(token)


def _form_of(token: str) -> str:
    text = html.unescape(token) if token[:1] == "&" or "&amp;" in token else token
    if text.isascii():
        return text if text.isalnum() else _TREEBANK.get(text, _shown(text).strip("_"))
    text = _shown(text[:_LONGEST_READ])
    if text and (text[-1] == _KEYCAP or all(character in _SIGNS or _is_symbol(character) for character in text)):
        return SYMBOL
    plain = unicodedata.normalize("NFKC", text.translate(_PLAIN))
    return plain if plain.isalnum() else unicodedata.normalize("NFKC", _shown(plain))


def _shown(text: str) -> str:
    return "".join(without_invisible(text).split())


def _is_symbol(character: str) -> bool:
    category = unicodedata.category(character)
    return category in _SYMBOL_CATEGORIES or category[0] == "M" or character == "\u200d"


_remembered = functools.lru_cache(maxsize=32_768)(_form_of)
