"""Words and characters to ids; 0 is padding and 1 is <UNK>, and no text can spell either."""

import functools
import itertools
import os
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import get_args

import numpy as np

from seqserve.entries import LookupStep
from seqserve.errors import BundleError
from seqserve.files import MAX_VOCABULARY_BYTES, read_file
from seqserve.text.forms import SYMBOL, form_of

PADDING_ID = 0
UNKNOWN_ID = 1
FIRST_ID = 2
LOOKUP_STEPS = ("exact", "lower", "capital", "digits")
"""Those of taggers and classifiers, whose tokens are plain before they are looked up."""

_DIGIT = re.compile(r"\d")
_CACHED_FORMS = 32_768
# A composed form of n code points has at most 4n when decomposed, so anything longer than that is not in the list.
_MOST_DECOMPOSED = 4


def candidates(form: str, steps: Sequence[str]) -> Iterator[str]:
    """Yield the spellings under which a form is looked up, best first: NFC, then changed as each step says.

    The step "plain" is the form without typography, see `form_of`; it is what the steps after it change.
    """
    form = plain = form if form.isascii() else unicodedata.normalize("NFC", form)
    for step in steps:
        if step == "exact":
            yield form
        elif step == "plain":
            plain = _plain(form)
            yield plain
        elif step == "lower":
            yield plain.lower()
        elif step == "capital":
            yield plain[:1].upper() + plain[1:].lower()
        elif step == "digits":
            yield _DIGIT.sub("0", plain.lower())
        else:
            raise ValueError(f"look-up step must be one of {', '.join(get_args(LookupStep))}, not {step!r}")


def _plain(form: str) -> str:
    plain = form_of(form) if form else ""
    return form if plain in ("", SYMBOL) else plain


def write_words(path: str | os.PathLike[str], forms: Iterable[str]) -> None:
    """Write word forms sorted by their UTF-8 bytes, one a line.

    Raises ValueError on an empty form, a newline inside one, or a form given twice.
    """
    _write_lines(Path(path), [_encoded(form) for form in forms])


class WordVocabulary:
    """Word forms in one sorted block of bytes, found by bisection (350,000 forms: about 5 MB, read in a few ms)."""

    def __init__(self, blob: bytes, *, steps: Sequence[str] = LOOKUP_STEPS, name: str = "words.txt") -> None:
        """Take the file's content; raises BundleError, naming the file, when it is not a sorted list of forms."""
        self.steps = tuple(steps)
        tuple(candidates("", self.steps))  # an unknown step is refused here, not at the first look-up
        self._blob = blob
        self._ends = _line_ends(blob, name)
        sizes = np.diff(self._ends, prepend=-1) - 1
        self._longest_bytes = int(sizes.max(initial=0))
        if len(sizes) and int(sizes.min()) == 0:
            raise BundleError(f"{name}: line {int(sizes.argmin()) + 1} is empty")
        self._check_order(name)
        self._cached_id = functools.lru_cache(maxsize=_CACHED_FORMS)(self._find_candidate)

    @classmethod
    def read(cls, path: str | os.PathLike[str], steps: Sequence[str] = LOOKUP_STEPS) -> "WordVocabulary":
        """Read a file that `write_words` wrote; `steps` are tried in order by `lookup`."""
        return cls(read_file(path, max_bytes=MAX_VOCABULARY_BYTES), steps=steps, name=str(path))

    def __len__(self) -> int:
        """Return the number of ids, padding and <UNK> included."""
        return len(self._ends) + FIRST_ID

    def find(self, form: str) -> int | None:
        """Return the id of exactly this spelling, or None."""
        if len(form) > self._longest_bytes:
            return None
        wanted = form.encode("utf-8", "surrogatepass")  # a lone surrogate is in no list, but must not raise
        index = bisect_left(range(len(self._ends)), wanted, key=self._line)
        return index + FIRST_ID if index < len(self._ends) and self._line(index) == wanted else None

    def lookup(self, form: str) -> int:
        """Return the id of the first spelling (see `candidates`) that is in the list, else UNKNOWN_ID."""
        # Also keeps huge strings out of the cache and out of NFC, whose sorting of marks is quadratic.
        if len(form) > _MOST_DECOMPOSED * self._longest_bytes:
            return UNKNOWN_ID
        return self._cached_id(form)

    def form_of(self, word_id: int) -> str:
        """Return the form of an id; raises IndexError for padding, <UNK> and ids beyond the list."""
        if not FIRST_ID <= word_id < len(self):
            raise IndexError(f"word id {word_id} has no form: forms have the ids {FIRST_ID} to {len(self) - 1}")
        return self._line(word_id - FIRST_ID).decode("utf-8")

    def _find_candidate(self, form: str) -> int:
        for spelling in candidates(form, self.steps):
            word_id = self.find(spelling)
            if word_id is not None:
                return word_id
        return UNKNOWN_ID

    def _line(self, index: int) -> bytes:
        start = self._ends[index - 1] + 1 if index else 0
        return self._blob[start : self._ends[index]]

    def _check_order(self, name: str) -> None:
        # Comparing every pair would take longer than all the rest of loading; a sample finds any list not sorted.
        size = len(self._ends)
        for index in range(0, size, max(1, size // 64)):
            if self.find(self._line(index).decode("utf-8")) != index + FIRST_ID:
                raise BundleError(f"{name}: forms are not sorted by their UTF-8 bytes (line {index + 1})")


class CharacterVocabulary:
    """Characters (single code points) to ids."""

    def __init__(self, characters: Sequence[str]) -> None:
        """Take the characters in the order of their ids, the first being FIRST_ID."""
        self._characters = tuple(characters)
        self._ids = {character: number for number, character in enumerate(self._characters, FIRST_ID)}

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> "CharacterVocabulary":
        """Read a file that `write` wrote; raises BundleError when a line is not one code point or not sorted."""
        name, blob = str(path), read_file(path, max_bytes=MAX_VOCABULARY_BYTES)
        _line_ends(blob, name)
        lines = blob.removesuffix(b"\n").split(b"\n") if blob else []
        characters = [line.decode("utf-8") for line in lines]
        for number, character in enumerate(characters, 1):
            if len(character) != 1:
                raise BundleError(f"{name}: line {number} holds {len(character)} characters instead of one")
        if lines != sorted(set(lines)):
            raise BundleError(f"{name}: characters are not sorted by their UTF-8 bytes, or one is there twice")
        return cls(characters)

    @classmethod
    def from_characters(cls, characters: Iterable[str]) -> "CharacterVocabulary":
        """Build a vocabulary of the distinct characters given; raises ValueError on a newline or a longer string."""
        distinct = sorted(set(characters), key=_encoded)
        for character in distinct:
            if len(character) != 1:
                raise ValueError(f"{character!r} is not one character")
        return cls(distinct)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the characters, one a line."""
        _write_lines(Path(path), [_encoded(character) for character in self._characters])

    @property
    def characters(self) -> tuple[str, ...]:
        """The characters in the order of their ids."""
        return self._characters

    def __len__(self) -> int:
        """Return the number of ids, padding and <UNK> included."""
        return len(self._characters) + FIRST_ID

    def encode(self, word: str, max_chars: int) -> list[int]:
        """Return the ids of a word's first `max_chars` characters; an empty word is one <UNK>."""
        return [self._ids.get(character, UNKNOWN_ID) for character in word[:max_chars]] or [UNKNOWN_ID]


def _encoded(form: str) -> bytes:
    if not form or "\n" in form:
        raise ValueError(f"{form!r} is empty or holds a newline")
    return form.encode("utf-8")


def _write_lines(path: Path, lines: list[bytes]) -> None:
    lines.sort()
    for before, line in itertools.pairwise(lines):
        if before == line:
            raise ValueError(f"{line.decode('utf-8')!r} is given twice")
    path.write_bytes(b"".join(line + b"\n" for line in lines))


def _line_ends(blob: bytes, name: str) -> np.ndarray:
    """Return where each line ends (N,), newline excluded; only byte 10 ends a line."""
    if blob and not blob.endswith(b"\n"):
        raise BundleError(f"{name}: the last line has no end")
    try:
        blob.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BundleError(f"{name}: byte {error.start} is not UTF-8") from error
    return np.flatnonzero(np.frombuffer(blob, dtype=np.uint8) == 10).astype(np.int32)
