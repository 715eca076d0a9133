"""Texts of one request to token ids, within the limits of a request."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqserve.errors import FieldError, TextTooLongError
from seqserve.language.model import LanguageModelBundle
from seqserve.text.tokenization import Token
from seqserve.vocabulary.tokens import EOS_ID


class TokenLimits(NamedTuple):
    """Most tokens of one text, and of all texts and contexts of a request together."""

    max_tokens: int = sys.maxsize
    max_request_tokens: int = sys.maxsize


@dataclass(frozen=True, slots=True)
class InputText:
    """A text with its tokens and the ids to predict: (T,) int32, <EOS> last when it counts."""

    text: str
    tokens: list[Token]
    ids: NDArray[np.int32]


class TextReader:
    """Encodes the texts of one request with one model; `num_tokens` counts all tokens of it so far."""

    def __init__(self, bundle: LanguageModelBundle, limits: TokenLimits) -> None:
        self._bundle = bundle
        self._limits = limits
        self.num_tokens = 0

    def read(self, text: str, pointer: str, *, eos: bool = False) -> InputText:
        """Encode one text, which stands at `pointer` of the request; raises TextTooLongError."""
        limit = self._limits.max_tokens
        encoded = self._bundle.encode(text, limit=None if limit == sys.maxsize else limit)
        if len(encoded.ids) > limit:
            raise _too_long(f"This text has more than {limit} tokens (max_tokens).", pointer)
        ids = np.array([*encoded.ids, EOS_ID] if eos else encoded.ids, np.int32)
        self.num_tokens += len(ids)
        if self.num_tokens > self._limits.max_request_tokens:
            most = self._limits.max_request_tokens
            field = "/" + pointer.split("/")[1]
            raise _too_long(
                f"The texts together have more than {most} tokens (max_queue_tokens): send fewer at a time.", field
            )
        return InputText(text, encoded.tokens, ids)

    def read_contexts(self, contexts: Iterable[tuple[str, str]]) -> tuple[list[NDArray[np.int32]], list[int]]:
        """Encode contexts, each with its pointer; return the ids of the distinct ones, and which one each is."""
        number_of: dict[str, int] = {}
        ids: list[NDArray[np.int32]] = []
        numbers = []
        for text, pointer in contexts:
            if text not in number_of:
                number_of[text] = len(ids)
                ids.append(self.read(text, pointer).ids)
            numbers.append(number_of[text])
        return ids, numbers


def _too_long(detail: str, pointer: str) -> TextTooLongError:
    return TextTooLongError(f"{pointer}: {detail}", [FieldError(pointer, detail)])
