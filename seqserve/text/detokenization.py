"""Tokens back to text, piece by piece: what a piece is depends only on the tokens before it.

So text can be sent while it is being written, and the pieces joined are the whole text. For English words the way back
through the tokeniser gives the same tokens, but for rare ones: an abbreviation's period, say, may end a sentence too.
"""

from seqserve.text.french import FrenchSpacing
from seqserve.text.tokenization import tokenize_unended
from seqserve.text.tokenizers import TOKENIZERS

_CLITICS = frozenset(
    f"{apostrophe}{ending}" for apostrophe in "'’`‘´" for ending in ("s", "m", "re", "ve", "ll", "d", "t")
) | {f"n{apostrophe}t" for apostrophe in "'’`‘´"}
_ENDS_SENTENCE = frozenset(".!?…")
_CLOSING = frozenset((",", ";", ":", ")", "]", "}", "%", "’", "”", "»", "''", "°", "™", "®"))
_OPENING = frozenset(("(", "[", "{", "$", "£", "€", "#", "‘", "“", "«", "`", "``", "¡", "¿"))
_JOINING = frozenset(("-", "‐", "‑", "—", "/"))  # between words; two hyphens stand alone
_RANGE = "–"
_HALVES = frozenset(
    ("gon na", "wan na", "got ta", "gim me", "lem me", "du n", "n no", "let s", "that s", "what s", "there s")
)
_ELIDED = ("s", "in", "ol", "th")  # before an apostrophe that opens nothing
_LONGEST_CHECKED = 64


class Detokenizer:
    """Write the tokens of one text, of the named tokenisation; the prompt's tokens come first.

    seqserve-en-1: English spacing; the straight quotes " and ' open and close in turn. seqserve-fr-1: French spacing.
    whitespace: single spaces. characters: nothing is added. Raises ValueError on another name.
    """

    def __init__(self, tokenization: str) -> None:
        if tokenization not in TOKENIZERS:
            raise ValueError(f"tokenization must be one of {', '.join(TOKENIZERS)}, not {tokenization!r}")
        self._tokenization = tokenization
        self._word = ""  # what was written since the last space
        self._last = ""
        self._glue = True  # nothing stands before the next token, or it wants no space after it
        self._open: set[str] = set()
        self._french = FrenchSpacing()

    def push(self, form: str) -> str:
        """Return what the token adds to the text, with the space before it where there is one."""
        if self._tokenization == "characters":
            return form
        if self._tokenization == "whitespace":
            piece = form if self._glue else f" {form}"
            self._glue = False
            return piece
        if self._tokenization == "seqserve-fr-1":
            return f" {form}" if self._french.has_space_before(form) else form
        return self._push_english(form)

    def _push_english(self, form: str) -> str:
        attached, glue = self._sides(form)
        joined = not self._last or ((attached or self._glue) and self._stays(form))
        self._word = (self._word + form if joined else form)[-_LONGEST_CHECKED - 1 :]
        self._last, self._glue = form, glue
        return form if joined else f" {form}"

    def _sides(self, form: str) -> tuple[bool, bool]:
        """Say whether there is no space before a token, and none after it."""
        after_word = self._last[-1:].isalnum()
        if form in ('"', "'"):
            if form in self._open:
                self._open.discard(form)
                return True, False
            if form == "'" and self._last.lower().endswith(_ELIDED):
                return True, False  # the boys' books, waitin' for
            self._open.add(form)
            return False, True
        if form in _OPENING:
            return False, True
        if form in _JOINING:
            # After a space a hyphen is a dash or a minus, and only what follows shows which.
            return after_word, after_word
        if form == _RANGE:
            return self._last[-1:].isdecimal(), self._last[-1:].isdecimal()
        lowered = form.lower()
        attached = (
            form in _CLOSING
            or (bool(form) and _ENDS_SENTENCE.issuperset(form))
            or (after_word and (lowered in _CLITICS or lowered == "nt"))
            or f"{self._last.lower()} {lowered}" in _HALVES
        )
        return attached, False

    def _stays(self, form: str) -> bool:
        """Say whether a token written right after the last stays a token of its own when the text is split again."""
        start = len(self._word)
        if form == "." or form in _CLOSING or start + len(form) > _LONGEST_CHECKED:
            return True
        found = tokenize_unended(f"{self._word}{form}")
        return any(token.start == start and token.text == form for token in found)
