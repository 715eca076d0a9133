"""What happens to a text between its writer and a server; each keeps track of where its names are."""

import textwrap
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from types import MappingProxyType

from benchmarks.text_robustness.sentences import Name, Written

Transformation = Callable[[Written], Written]

_LONG_ENOUGH = 4  # letters of a word that is given something inside


def rewritten(pieces: Callable[[str], Sequence[str]]) -> Transformation:
    """Replace every code point by a string, `pieces(text)` in order; a name keeps all of what stands for it."""

    def transform(written: Written) -> Written:
        parts = pieces(written.text)
        places = [0, *accumulate(map(len, parts))]
        names = tuple(Name(places[name.start], places[name.end], name.labels) for name in written.names)
        return Written("".join(parts), names)

    return transform


def each_as(replace: Callable[[str], str]) -> Transformation:
    """Replace every code point by a string that depends on nothing else."""
    return rewritten(lambda text: [replace(character) for character in text])


def around_names(left: str, right: str) -> Transformation:
    """Write something before and after every name; it is no part of the name."""

    def transform(written: Written) -> Written:
        text, names, last = "", [], 0
        for name in written.names:
            text += written.text[last : name.start] + left
            names.append(Name(len(text), len(text) + name.end - name.start, name.labels))
            text += written.text[name.start : name.end] + right
            last = name.end
        return Written(text + written.text[last:], tuple(names))

    return transform


def at_start(what: str) -> Transformation:
    """Write something before the text."""

    def transform(written: Written) -> Written:
        names = tuple(Name(name.start + len(what), name.end + len(what), name.labels) for name in written.names)
        return Written(what + written.text, names)

    return transform


def inside_words(what: str) -> Transformation:
    """Write something after every second letter of words of four letters and more."""

    def pieces(text: str) -> list[str]:
        parts = list(text)
        for start, end in _words(text):
            if end - start >= _LONG_ENOUGH:
                for place in range(start + 1, end - 1, 2):
                    parts[place] += what
        return parts

    return rewritten(pieces)


def before_words(what: str) -> Transformation:
    """Write something before every word; a name begins after it."""
    return _beside_words(what, border=0)


def after_words(what: str) -> Transformation:
    """Write something after every word; a name ends before it."""
    return _beside_words(what, border=1)


def _beside_words(what: str, *, border: int) -> Transformation:
    def transform(written: Written) -> Written:
        cuts = [word[border] for word in _words(written.text)]
        text = what.join(written.text[start:end] for start, end in zip([0, *cuts], [*cuts, None], strict=True))
        names = tuple(
            Name(
                name.start + len(what) * sum(cut <= name.start for cut in cuts),
                name.end + len(what) * sum(cut < name.end for cut in cuts),
                name.labels,
            )
            for name in written.names
        )
        return Written(text, names)

    return transform


def with_words(what: str) -> Transformation:
    """Write something before every word; a name keeps it, since what parts words belongs to the word after it."""

    def pieces(text: str) -> list[str]:
        starts = {start for start, _ in _words(text)}
        return [what + character if place in starts else character for place, character in enumerate(text)]

    return rewritten(pieces)


def _words(text: str) -> list[tuple[int, int]]:
    """Return the borders of every run of letters and marks."""
    found, start = [], None
    for place, character in enumerate(text + " "):
        is_letter = unicodedata.category(character)[0] in "LM"
        if is_letter and start is None:
            start = place
        elif not is_letter and start is not None:
            found.append((start, place))
            start = None
    return found


def _shifted(first: str, last: str, to: int) -> Mapping[int, int]:
    return {code: to + code - ord(first) for code in range(ord(first), ord(last) + 1)}


def _table(*tables: Mapping[int, int]) -> Transformation:
    """Translate code points one for one."""
    merged = {code: chr(to) for table in tables for code, to in table.items()}
    return each_as(lambda character: merged.get(ord(character), character))


def _ligatures(text: str) -> list[str]:
    parts = list(text)
    place = 0
    while place < len(text):
        for plain, ligature in (("ffi", "ﬃ"), ("ffl", "ﬄ"), ("ff", "ﬀ"), ("fi", "ﬁ"), ("fl", "ﬂ"), ("st", "ﬆ")):
            if text.startswith(plain, place):
                parts[place : place + len(plain)] = [ligature, *[""] * (len(plain) - 1)]
                place += len(plain) - 1
                break
        place += 1
    return parts


def _wrapped(width: int) -> Transformation:
    def pieces(text: str) -> list[str]:
        lines = textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)
        assert len(lines) == len(text), "a probe has single spaces only"
        return list(lines)

    return rewritten(pieces)


def _without_final_punctuation(written: Written) -> Written:
    end = max([len(written.text.rstrip(".!?")), *(name.end for name in written.names)])
    return Written(written.text[:end], written.names)


def _spaces(to: str) -> Transformation:
    return each_as(lambda character: to if character == " " else character)


_SOFT_HYPHEN, _ZWSP, _ZWNJ, _ZWJ, _WORD_JOINER, _BOM = "\u00ad", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff"

HIDDEN: Mapping[str, Transformation] = MappingProxyType(
    {
        "soft hyphens inside words": inside_words(_SOFT_HYPHEN),
        "ZWSP inside words": inside_words(_ZWSP),
        "ZWNJ inside words": inside_words(_ZWNJ),
        "ZWJ inside words": inside_words(_ZWJ),
        "word joiners inside words": inside_words(_WORD_JOINER),
        "BOM inside words": inside_words(_BOM),
        "invisible separators inside words": inside_words("\u2063"),
        "ZWSP before words": with_words(_ZWSP),
        "ZWSP after words": after_words(_ZWSP),
        "ZWNJ before words": before_words(_ZWNJ),
        "ZWJ after words": after_words(_ZWJ),
        "soft hyphens after words": after_words(_SOFT_HYPHEN),
        "word joiners around names": around_names(_WORD_JOINER, _WORD_JOINER),
        "LRM before words": before_words("\u200e"),
        "LRM around names": around_names("\u200e", "\u200e"),
        "RLM around names": around_names("\u200f", "\u200f"),
        "embeddings around names": around_names("\u202a", "\u202c"),
        "overrides around names": around_names("\u202d", "\u202c"),
        "isolates around names": around_names("\u2068", "\u2069"),
        "BOM at the start": at_start(_BOM),
        "BOM before names": around_names(_BOM, ""),
    }
)

FORMS: Mapping[str, Transformation] = MappingProxyType(
    {
        "decomposed (NFD)": each_as(lambda character: unicodedata.normalize("NFD", character)),
        "full width letters": _table(_shifted("A", "Z", 0xFF21), _shifted("a", "z", 0xFF41)),
        "full width digits": _table(_shifted("0", "9", 0xFF10)),
        "full width punctuation": _table(_shifted("!", "/", 0xFF01), _shifted(":", "@", 0xFF1A)),
        "ligatures": rewritten(_ligatures),
        "mathematical bold": _table(_shifted("A", "Z", 0x1D400), _shifted("a", "z", 0x1D41A)),
        "mathematical sans-serif": _table(_shifted("A", "Z", 0x1D5A0), _shifted("a", "z", 0x1D5BA)),
        "no-break spaces": _spaces("\u00a0"),
        "narrow no-break spaces": _spaces("\u202f"),
        "thin spaces": _spaces("\u2009"),
        "ideographic spaces": _spaces("\u3000"),
        "no-break hyphens": _table({ord("-"): 0x2011}),
    }
)

VARIANTS: Mapping[str, Transformation] = MappingProxyType(
    {
        "double spaces": _spaces("  "),
        "LF for each space": _spaces("\n"),
        "CRLF for each space": _spaces("\r\n"),
        "wrapped at 40 columns": _wrapped(40),
        "wrapped at 72 columns": _wrapped(72),
        "no final punctuation": _without_final_punctuation,
        "curly apostrophes": _table({ord("'"): 0x2019}),
        "indented": at_start("    "),
        "tab and line end before": at_start("\r\n\t"),
        "bullet before": at_start("• "),
        "quoted mail": at_start("> "),
    }
)
