"""Text to tokens in the manner of the English Web Treebank, with exact code-point offsets.

Every code point that is neither white space nor invisible belongs to exactly one token, and no token holds white space.
Invisible characters (soft hyphens, joiners, direction marks, controls) change no token: inside one they stay in it, and
between tokens they belong to none. White space always ends a token, so pieces between white space are split one at a
time and the splits of short pieces are remembered. Every repetition that could be tried again is bounded, so that time
grows linearly with the text whatever it holds.
"""

import functools
import re
import sys
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

_REMEMBERED_PIECES = 16_384
_LONGEST_REMEMBERED = 48
_LONGEST_CONTRACTION = 10
_MOST_CLITICS = 3

# Unicode's categories Cf and Cc but white space, the tags of flags, and a joiner within an emoji.
_INVISIBLE_SET = (
    "\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"
    "\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001"
)
_INVISIBLE = re.compile(rf"[{_INVISIBLE_SET}]|\u200d(?![\u2190-\u2bff\U0001f000-\U0001faff])")
_MAYBE_INVISIBLE = re.compile(f"[{_INVISIBLE_SET}\u200d]")
_CATEGORIES_OF_FORMS = frozenset(("Lu", "Ll", "Nd", "Po", "Ps", "Pe", "Pd", "Pc", "Sm", "Sc"))
_ZERO_WIDTH_SPACE = "\u200b"
_MARK = "\u0300"  # stands for every combining mark while a piece is split


class Token(NamedTuple):
    """A token and where it stands: `text[start:end]`, in code points."""

    text: str
    start: int
    end: int


def _either(words: str) -> str:
    return "|".join(re.escape(word) for word in sorted(words.split(), key=len, reverse=True))


# Capitalised only: "sat.", "gen." and "co." at the end of a sentence are words.
_ABBREVIATIONS = _either(
    "Adm Apr Assoc Attn Aug Ave Blvd Brig Bros Capt Cmdr Co Col Corp Cpl Dec Dept Dr Drs Esq Feb Fri Ft Gen Gov Hon "
    "Inc Jan Jr Lt Ltd Maj Mon Mr Mrs Ms Mt Messrs No Nos Nov Oct Ph.D Pres Prof Rep Reps Rev Sat Sec Sen Sens Sept "
    "Atty Msgr Sgt Sr St Sts Supt Thur Thurs Tue Tues Univ Vol Wed PVT DR MR MRS MS ST JR SR INC LTD CORP CO AVE PS NO "
    "Va Fla Calif Mass Conn Pa Tenn Wis Minn Ariz Colo"
)
_ABBREVIATIONS_OF_ANY_CASE = _either(
    "approx cf dept e.g eg est et etc ext i.e ie inc mins pp tel v vs yrs al oz lb lbs"
)
# Prefixes that the treebank leaves on their word; other hyphens are tokens.
_PREFIXES = _either(
    "anti co counter cross e ex inter intra mid micro multi neo non over post pre pro re semi sub ultra un x"
)
_DOMAINS = "com|net|org|edu|gov|mil|info|biz|tv|co\\.[a-z]{2}|com\\.[a-z]{2}|uk|ca|au|de|fr|eu|ru|jp|nl"
_FILES = "docx?|xlsx?|pptx?|pdf|html?|txt|jpe?g|gif|png|zip|exe|mp3|wav|csv|asp|php|js|url"
_UNITS = "am|pm|[ap]\\.m|k|m|mm|cm|km|kg|x|ft|lbs?|oz|mins?|hrs?|mph|gb|mb|bn|mn"
SUPERSCRIPTS = (
    "\u00b2\u00b3\u00b9\u2070\u2074\u2075\u2076\u2077\u2078\u2079"  # of footnotes: never parts of the word before them
)
_LETTER = rf"[^\W\d_{SUPERSCRIPTS}]{_MARK}*+"
_ALNUM = rf"[^\W_{SUPERSCRIPTS}]"
_WORD = rf"(?:{_ALNUM}{_MARK}*+)++"
_NO_WORD = rf"(?!{_ALNUM}|{_MARK})"
_APOSTROPHE = "['’`‘´]"

_TOKEN = re.compile(
    rf"""
      (?i:https?|ftp|file)://[^\s<>"“”]*[^\s<>"“”.,;:!?'’)\]}}…]
    | (?i:www)\d?\.[^\s<>"“”]*[^\s<>"“”.,;:!?'’)\]}}…]
    | [\w+][\w.+%-]{{0,63}}@\w[\w-]{{0,63}}(?:\.[\w-]{{1,64}}){{0,8}}+(?!{_MARK})          # e-mail address
    | (?:[A-Za-z0-9][\w-]{{0,62}}\.){{1,8}}(?i:{_DOMAINS}|{_FILES})(?:/[\w./%~+-]{{0,200}}[\w/])?{_NO_WORD}
    | (?i:alt|comp|misc|rec|sci|soc|talk)(?:\.[a-z][\w-]{{1,40}}){{1,8}}+{_NO_WORD}          # newsgroup
    | [@\#][^\W\d](?:\w|{_MARK})*+                                                       # handle, hashtag
    | [:;=]['’]?-?[)(\]\[DPp/\\|]{_NO_WORD} | (?:>:[)(]|<3|\^_+\^|-_+-){_NO_WORD}      # emoticon
    | (?:{_LETTER}\.){{1,8}}{_LETTER}\.?+{_NO_WORD}                                        # U.S., a.m.
    | (?:{_ABBREVIATIONS}|(?i:{_ABBREVIATIONS_OF_ANY_CASE})|[A-HJ-Z])\.{_NO_WORD}(?!\.\.)
    | [A-Z][a-z]{{1,5}}\.(?=[,;:](?!\S))                                                    # Ont., Jul.;
    | (?i:b/c|w/o|l/c|c/o|[a-z]{{1,3}}&(?:amp;|(?![a-z]{{2,31}};))[a-z]{{1,2}}){_NO_WORD}
    | (?i:{_PREFIXES})-{_WORD}
    | \+?\d{{1,3}}(?:-\d{{2,4}}){{1,2}}-\d{{3,4}}{_NO_WORD}                                 # telephone
    | \d{{1,3}}[-/]\d{{3,4}}(?:-\d{{4}})?{_NO_WORD}
    | \+?\d++(?:[.,:/]\d++){{0,8}}(?:(?:st|nd|rd|th|{_APOSTROPHE}?s)?+{_NO_WORD}|(?=(?i:{_UNITS}){_NO_WORD}))
    | (?<!\w)['’](?:\d\ds?|(?i:em|til|cause|n|tis|twas)){_NO_WORD}
    | (?P<word>{_WORD}(?:(?:_++(?!(?<=[a-z]_)[A-Z][a-z])|{_APOSTROPHE}){_WORD})*+)
    | &(?:[A-Za-z][A-Za-z\d]{{1,31}}|\#\d{{1,7}}|\#[xX][\dA-Fa-f]{{1,6}});                   # HTML character reference
    | [{SUPERSCRIPTS}]++
    | {_APOSTROPHE}(?i:s|m|re|ve|ll|d){_NO_WORD}
    | (?:[.!?…]{{2,}}+|[-=]++>|<[-=]++|<{{2,}}+|>{{2,}}+|[-=]{{2,}}+|([*~_+$\#,|/\\'’`])\2++){_MARK}*+
    | [\U0001f1e6-\U0001f1ff]{{2}}{_MARK}*+                                                # flag
    | .{_MARK}*+(?:\u200d[^\w\s]{_MARK}*+)*+                                              # emoji joined by ZWJ
    """,
    re.VERBOSE | re.DOTALL,
)
_PIECE = re.compile(r"\S+")
_PARAGRAPH = re.compile(r"\n\s*\n|\r[^\S\n]*\r|\u2029")

# Written as one word, but two or three tokens; each as the lengths of its tokens.
_CONTRACTIONS = {
    parted.replace(" ", ""): tuple(len(part) for part in parted.split())
    for parted in (
        *("can not", "gon na", "wan na", "got ta", "gim me", "lem me", "du n no", "a lot"),
        *("let s", "that s", "what s", "there s", "do nt", "did nt", "does nt", "is nt", "was nt", "ca nt", "wo nt"),
        *("could nt", "would nt", "should nt", "have nt", "has nt", "had nt", "are nt", "were nt"),
    )
}
_BEFORE_NUMBERS = frozenset(("No.", "Nos.", "NO."))
_CLITICS = frozenset(("s", "m", "re", "ve", "ll", "d"))


def tokenize(text: str, *, limit: int | None = None) -> list[Token]:
    """Split text into tokens; with a limit, stop once limit + 1 are found, so that "too long" costs no more."""
    tokens = tokenize_unended(text, limit=limit)
    if limit is None or len(tokens) <= limit:
        _part_last_period(tokens)
    return tokens


def tokenize_unended(text: str, *, limit: int | None = None) -> list[Token]:
    """Split a text that goes on: as `tokenize`, but an abbreviation at its end keeps its period."""
    tokens: list[Token] = []
    stop = sys.maxsize if limit is None else limit + 1
    all_visible = (text.isascii() and text.isprintable()) or _MAYBE_INVISIBLE.search(text) is None
    for match in _PIECE.finditer(text):
        piece = match.group()
        start = match.start()
        if tokens and _ends_with_word(text, tokens[-1], start):
            _part_last_period(tokens)
        if not all_visible and _INVISIBLE.search(piece):
            tokens.extend(Token(text[first:end], first, end) for first, end in _visible_places(piece, start))
            if len(tokens) >= stop:
                return tokens[:stop]
            continue
        for size in _remembered(piece) if len(piece) <= _LONGEST_REMEMBERED else _sizes(piece):
            if len(tokens) >= stop:
                return tokens[:stop]
            end = start + size
            tokens.append(Token(text[start:end], start, end))
            start = end
    return tokens[:stop]


def without_invisible(text: str) -> str:
    """Return a text without its invisible characters."""
    return _INVISIBLE.sub("", text)


def is_paragraph_break(text: str, start: int, end: int) -> bool:
    """Say whether the white space text[start:end] holds a blank line."""
    return _PARAGRAPH.search(text, start, end) is not None


def _ends_with_word(text: str, last: Token, start: int) -> bool:
    """Say whether the period of the last token, if it has one, is no abbreviation's, seen from what starts next."""
    if last.text in _BEFORE_NUMBERS and not text[start].isdecimal():
        return True
    return start - last.end > 1 and is_paragraph_break(text, last.end, start)


def _part_last_period(tokens: list[Token]) -> None:
    """Make the period of an abbreviation that ends a paragraph a token, as in the treebank: "etc" "."."""
    if not tokens:
        return
    text, start, end = tokens[-1]
    if len(text) > 1 and text[-1] == "." and text[-2].isalnum():
        tokens[-1] = Token(text[:-1], start, end - 1)
        tokens.append(Token(".", end - 1, end))


def _sizes(piece: str) -> Iterator[int]:
    """Yield the lengths of a piece's tokens, in order."""
    shape = piece if piece.isascii() else piece.translate(_SHAPE)
    for match in _TOKEN.finditer(shape):
        if match.lastgroup == "word":
            yield from _word_sizes(match.group())
        else:
            yield match.end() - match.start()


def _visible_places(piece: str, offset: int) -> Iterator[tuple[int, int]]:
    """Yield where the tokens of a piece start and end, split as if its invisible characters were not there.

    A zero-width space, a place where a line may break, belongs to the token that it stands before.
    """
    hidden = {place for match in _INVISIBLE.finditer(piece) for place in range(*match.span())}
    kept = [place for place in range(len(piece)) if place not in hidden]
    first = end = 0
    for size in _sizes("".join(piece[place] for place in kept)):
        start = kept[first]
        while start > end and piece[start - 1] == _ZERO_WIDTH_SPACE:
            start -= 1
        first += size
        end = kept[first - 1] + 1
        yield offset + start, offset + end


@functools.lru_cache(maxsize=_REMEMBERED_PIECES)
def _remembered(piece: str) -> tuple[int, ...]:
    return tuple(_sizes(piece))


def _word_sizes(word: str) -> tuple[int, ...]:
    """Part the clitics of a word: "don't" is "do" and "n't"."""
    if len(word) <= _LONGEST_CONTRACTION and word.isalpha():
        return _CONTRACTIONS.get(word.lower(), (len(word),))
    sizes: list[int] = []
    end = len(word)
    while len(sizes) < _MOST_CLITICS:
        # A clitic is at most three letters, so only the last few characters are looked at.
        cut = max((word.rfind(apostrophe, max(0, end - 3), end) for apostrophe in "'’`‘´"), default=-1)
        clitic = word[cut + 1 : end].lower()
        if cut > 1 and clitic == "t" and word[cut - 1] in "nN":
            cut -= 1
        elif cut < 1 or clitic not in _CLITICS:
            break
        sizes.append(end - cut)
        end = cut
    return (end, *reversed(sizes))


class _Shape(dict[int, int]):
    """Code points to what stands for them in `_TOKEN`: marks and skin tones to `_MARK`, forms of ASCII to ASCII.

    `re` does not count the vowel signs of Indic scripts, Hebrew points and the like as parts of words. Filled as
    needed, since listing all marks takes longer than loading a model; kept small by keeping no plane but the first.
    """

    def __missing__(self, code: int) -> int:
        character = chr(code)
        is_mark = unicodedata.category(character)[0] == "M" or 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F
        plain = unicodedata.normalize("NFKC", character)  # of full width and mathematical letters, one ASCII letter
        is_form = len(plain) == 1 and plain.isascii() and unicodedata.category(character) in _CATEGORIES_OF_FORMS
        stand_in = ord(_MARK) if is_mark else ord(plain) if is_form else code
        if code < 0x10000:
            self[code] = stand_in
        return stand_in


_SHAPE = _Shape()
