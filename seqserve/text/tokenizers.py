"""The tokenisers by the names that manifests give them; each returns tokens with exact code-point offsets."""

import re
from itertools import islice
from typing import Protocol

from seqserve.text.french import tokenize_french
from seqserve.text.tokenization import Token, tokenize, tokenize_unended

_WORD = re.compile(r"\S+")


class Tokenizer(Protocol):
    """Splits text into tokens; with a limit it may stop once limit + 1 are found."""

    def __call__(self, text: str, *, limit: int | None = None) -> list[Token]:
        """Return the tokens in order."""


def split_whitespace(text: str, *, limit: int | None = None) -> list[Token]:
    """Split text at white space, as `str.split` does."""
    found = _WORD.finditer(text)
    stop = None if limit is None else limit + 1
    return [Token(match.group(), match.start(), match.end()) for match in islice(found, stop)]


def split_characters(text: str, *, limit: int | None = None) -> list[Token]:
    """Make every code point a token, white space and newlines included, as they were sent."""
    kept = text if limit is None else text[: limit + 1]
    return [Token(character, place, place + 1) for place, character in enumerate(kept)]


TOKENIZERS: dict[str, Tokenizer] = {
    "seqserve-en-1": tokenize,
    "seqserve-fr-1": tokenize_french,
    "whitespace": split_whitespace,
    "characters": split_characters,
}
TOKENIZERS_OF_UNENDED: dict[str, Tokenizer] = {**TOKENIZERS, "seqserve-en-1": tokenize_unended}
"""The same for a text that goes on, such as a prompt: how it ends says nothing of its last token."""
