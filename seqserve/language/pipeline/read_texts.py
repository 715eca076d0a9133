"""Texts of one request to token ids, within the limits of a request."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from seqserve.language.model import LanguageModelBundle
from seqserve.language.scoring import Ids
from seqserve.reading import Limits, Place, check_length, check_total
from seqserve.text.tokenization import Token
from seqserve.vocabulary.tokens import EOS_ID


@dataclass(frozen=True, slots=True)
class InputText:
    """A text with its tokens and the ids to predict: (T,) int32, <EOS> last when it counts."""

    text: str
    tokens: list[Token]
    ids: Ids


class TextReader:
    """Encodes the texts of one request with one model; `num_tokens` counts all tokens of it so far."""

    def __init__(self, bundle: LanguageModelBundle, limits: Limits) -> None:
        self._bundle = bundle
        self._limits = limits
        self.num_tokens = 0

    def read(self, text: str, place: Place, *, eos: bool = False) -> InputText:
        """Encode one text, which stands at `place` of the request; raises TextTooLongError."""
        limit = self._limits.max_tokens
        encoded = self._bundle.encode(text, limit=None if limit == sys.maxsize else limit)
        check_length(len(encoded.ids), self._limits, *place)
        ids = np.array([*encoded.ids, EOS_ID] if eos else encoded.ids, np.int32)
        self.num_tokens += len(ids)
        check_total(self.num_tokens, self._limits, place[0])
        return InputText(text, encoded.tokens, ids)

    def read_contexts(self, contexts: Iterable[tuple[str, Place]]) -> tuple[list[Ids], list[int]]:
        """Encode contexts, each with its place; return the ids of the distinct ones, and which one each is."""
        number_of: dict[str, int] = {}
        ids: list[Ids] = []
        numbers = []
        for text, place in contexts:
            if text not in number_of:
                number_of[text] = len(ids)
                ids.append(self.read(text, place).ids)
            numbers.append(number_of[text])
        return ids, numbers
