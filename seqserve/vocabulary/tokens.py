"""Tokens of a language model to ids; 0 is <EOS> and 1 is <UNK>, and no text can spell either."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from seqserve.errors import BundleError
from seqserve.files import MAX_VOCABULARY_BYTES, read_file
from seqserve.vocabulary.words import candidates

EOS_ID = 0
UNKNOWN_ID = 1
FIRST_ID = 2
START_ID = -1
"""Stands for x<1> = 0, the zero vector that a sequence starts with; it is an input, never a prediction."""

EOS_FORM = "<EOS>"
UNKNOWN_FORM = "<UNK>"
RESERVED_FORMS = (EOS_FORM, UNKNOWN_FORM, "<unk>")
"""No token may be one of these: it would look like id 0 or 1 (corpora write <unk> for id 1)."""

_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
_ESCAPED = {"n": "\n", "\\": "\\"}
# A composed form of n code points has at most 4n when decomposed, so anything longer than that is not in the list.
_MOST_DECOMPOSED = 4


class TokenVocabulary:
    """Tokens in the order of their ids, the first being FIRST_ID (100,000 tokens: read in 0.03 s)."""

    def __init__(self, tokens: Sequence[str], *, steps: Sequence[str] = ("exact",), name: str = "tokens.txt") -> None:
        """Take the tokens; raises BundleError, naming `name` and the line, on an empty, reserved or repeated one."""
        self.tokens = tuple(tokens)
        self.steps = tuple(steps)
        tuple(candidates("", self.steps))  # an unknown step is refused here, not at the first look-up
        self._ids = {token: number for number, token in enumerate(self.tokens, FIRST_ID)}
        if len(self._ids) != len(self.tokens):
            number = next(line for line, token in enumerate(self.tokens) if self._ids[token] != line + FIRST_ID)
            other = self._ids[self.tokens[number]] - FIRST_ID
            raise BundleError(f"{name}: lines {number + 1} and {other + 1} hold the same token")
        for form in ("", *RESERVED_FORMS):
            if form in self._ids:
                what = f"holds {form}, which no token may be" if form else "is empty"
                raise BundleError(f"{name}: line {self._ids[form] - FIRST_ID + 1} {what}")
        self._longest = max(map(len, self.tokens), default=0)

    @classmethod
    def read(cls, path: str | os.PathLike[str], steps: Sequence[str] = ("exact",)) -> "TokenVocabulary":
        """Read a file that `write` wrote; `steps` (see `candidates`) are tried in order by `lookup`.

        Raises BundleError, naming the file and the line.
        """
        name = str(path)
        blob = read_file(path, max_bytes=MAX_VOCABULARY_BYTES)
        try:
            content = blob.decode("utf-8")
        except UnicodeDecodeError as error:
            line = blob.count(b"\n", 0, error.start) + 1
            raise BundleError(f"{name}: line {line} is not UTF-8 (byte {error.start} of the file)") from error
        if content and not content.endswith("\n"):
            raise BundleError(f"{name}: the last line has no end")
        lines = content.split("\n")[:-1]
        if "\\" in content:
            lines = [_unescaped(line, number, name) if "\\" in line else line for number, line in enumerate(lines, 1)]
        return cls(lines, steps=steps, name=name)

    def write(self, path: str | os.PathLike[str]) -> None:
        r"""Write one token a line in the order of ids, <EOS> and <UNK> left out; newline is `\n`, backslash `\\`."""
        lines = (token.replace("\\", "\\\\").replace("\n", "\\n") + "\n" for token in self.tokens)
        Path(path).write_bytes("".join(lines).encode("utf-8"))

    def __len__(self) -> int:
        """Return the number of ids, <EOS> and <UNK> included."""
        return len(self.tokens) + FIRST_ID

    def lookup(self, form: str, steps: Sequence[str] | None = None) -> int:
        """Return the id of the first spelling that is in the list, else UNKNOWN_ID.

        steps: in place of the vocabulary's own. The step "exact" finds the form as it is first, then its NFC.
        """
        steps = self.steps if steps is None else steps
        # Also keeps huge strings out of NFC, whose sorting of marks is quadratic.
        if len(form) > _MOST_DECOMPOSED * self._longest:
            return UNKNOWN_ID
        if steps[0] == "exact":
            token_id = self._ids.get(form)
            if token_id is not None:
                return token_id
        for spelling in candidates(form, steps):
            token_id = self._ids.get(spelling)
            if token_id is not None:
                return token_id
        return UNKNOWN_ID

    def form_of(self, token_id: int) -> str:
        """Return the token of an id, "<EOS>" and "<UNK>" for 0 and 1; raises IndexError beyond the list."""
        if not 0 <= token_id < len(self):
            raise IndexError(f"token id {token_id} has no form: the ids are 0 to {len(self) - 1}")
        if token_id >= FIRST_ID:
            return self.tokens[token_id - FIRST_ID]
        return UNKNOWN_FORM if token_id == UNKNOWN_ID else EOS_FORM


def _unescaped(line: str, number: int, name: str) -> str:
    def plain(match: re.Match[str]) -> str:
        if match.group(1) not in _ESCAPED:
            raise BundleError(f"{name}: line {number} holds a backslash that is followed by neither n nor a backslash")
        return _ESCAPED[match.group(1)]

    return _ESCAPE.sub(plain, line)
