"""Texts of one request to token ids, within the limits of a request; a text is read together with its context."""

import sys
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

import numpy as np

from seqserve.language.batches import ScoredRow
from seqserve.language.model import LanguageModelBundle
from seqserve.language.scoring import Ids, Sequences
from seqserve.reading import Limits, Place, check_length, check_total
from seqserve.text.tokenization import Token
from seqserve.text.tokenizers import TOKENIZERS, TOKENIZERS_OF_UNENDED, Tokenizer
from seqserve.vocabulary.tokens import EOS_ID, UNKNOWN_ID

_LONGEST_TAIL = 512  # characters; bounds what a context costs each of its texts


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What stands before texts: the ids (T,) of its tokens, as those of a text that goes on.

    What follows may change how its last word is read: "No." is one token before a number, else two. So `tail`, its end
    from token `num_kept` on, is read again with each text.
    """

    ids: Ids
    num_kept: int
    tail: str


@dataclass(frozen=True, slots=True)
class InputText:
    """A text with its tokens and the ids to predict: (T,) int32, <EOS> last when it counts.

    read_again: the ids (R,) of the context's tail where they are others with this text than alone, else None.
    """

    text: str
    tokens: list[Token]
    ids: Ids
    context: Context
    read_again: Ids | None


class TextReader:
    """Encodes the texts of one request with one model; `num_tokens` counts all tokens of it so far."""

    def __init__(self, bundle: LanguageModelBundle, limits: Limits) -> None:
        self._bundle = bundle
        self._limits = limits
        self._contexts: dict[str, Context] = {}
        self.num_tokens = 0

    def read_context(self, text: str, place: Place) -> Context:
        """Encode a context, once for all texts after it; raises TextTooLongError."""
        if text not in self._contexts:
            encoded = self._bundle.encode_unended(text, limit=self._limit(0))
            check_length(len(encoded.ids), self._limits, *place)
            self._count(len(encoded.ids), place)
            num_kept, tail = _tail_of(text, encoded.tokens)
            self._contexts[text] = Context(np.array(encoded.ids, np.int32), num_kept, tail)
        return self._contexts[text]

    def read(self, text: str, place: Place, *, context: Context, eos: bool) -> InputText:
        """Encode a text, which stands at `place` of the request; without <EOS> it is one that goes on.

        Raises TextTooLongError.
        """
        tokenizers = TOKENIZERS if eos else TOKENIZERS_OF_UNENDED
        alone = context.ids[context.num_kept :]
        of_tail, tokens = _read_together(
            tokenizers[self._bundle.manifest.tokenization.name], context.tail, text, self._limit(len(alone) + 1)
        )
        check_length(len(tokens), self._limits, *place)
        ids = np.array([*self._bundle.look_up(tokens), *([EOS_ID] if eos else [])], np.int32)
        self._count(len(ids), place)
        read_again = np.array(self._bundle.look_up(of_tail), np.int32)
        return InputText(text, tokens, ids, context, None if np.array_equal(read_again, alone) else read_again)

    def _limit(self, more: int) -> int | None:
        return None if self._limits.max_tokens == sys.maxsize else self._limits.max_tokens + more

    def _count(self, num_tokens: int, place: Place) -> None:
        self.num_tokens += num_tokens
        check_total(self.num_tokens, self._limits, place[0])


def sequences_of(inputs: Sequence[InputText]) -> Sequences:
    """Return the rows of texts, in order, and after them those that `own_rows` takes off."""
    texts: list[Ids] = []
    contexts: list[Ids] = []
    context_of: list[int] = []
    number_of: dict[tuple[Context, bool], int] = {}
    for item in inputs:
        context, is_changed = item.context, item.read_again is not None
        if (context, is_changed) not in number_of:
            number_of[context, is_changed] = len(contexts)
            contexts.append(context.ids[: context.num_kept] if is_changed else context.ids)
        context_of.append(number_of[context, is_changed])
        texts.append(item.ids if item.read_again is None else np.concatenate([item.read_again, item.ids]))
    for context in _changed_contexts(inputs):
        context_of.append(number_of[context, True])
        texts.append(context.ids[context.num_kept :])
    return Sequences(texts, contexts, context_of)


def own_rows(
    inputs: Sequence[InputText], sequences: Sequences, scores: Sequence[ScoredRow], *, unknown_cost: float
) -> list[ScoredRow]:
    """Return what belongs to each text of the scores of its `sequences`: log P(context + text) - log P(context).

    An unknown word has log P(<UNK>) - unknown_cost. Where a text changes how its context is read, the difference counts
    with its first token; that sum is float64.
    """
    if unknown_cost:
        scores = [
            _with_cost(ids, scored, np.float32(unknown_cost))
            for ids, scored in zip(sequences.texts, scores, strict=True)
        ]
    alone = dict(zip(_changed_contexts(inputs), scores[len(inputs) :], strict=True))
    return [
        scored if item.read_again is None else _without_context(scored, len(item.read_again), alone[item.context])
        for item, scored in zip(inputs, scores, strict=False)
    ]


def _changed_contexts(inputs: Sequence[InputText]) -> dict[Context, None]:
    return dict.fromkeys(item.context for item in inputs if item.read_again is not None)


def _with_cost(ids: Ids, scored: ScoredRow, unknown_cost: np.float32) -> ScoredRow:
    is_unknown = ids == UNKNOWN_ID
    if not is_unknown.any():
        return scored
    return replace(scored, log_probs=np.where(is_unknown, scored.log_probs - unknown_cost, scored.log_probs))


def _without_context(scored: ScoredRow, num_again: int, alone: ScoredRow) -> ScoredRow:
    log_probs = scored.log_probs.astype(np.float64)
    own = log_probs[num_again:].copy()
    own[:1] += log_probs[:num_again].sum() - alone.log_probs.astype(np.float64).sum()
    return replace(
        scored,
        log_probs=own,
        ranks=scored.ranks[num_again:],
        top_ids=scored.top_ids[num_again:],
        top_log_probs=scored.top_log_probs[num_again:],
    )


def _tail_of(text: str, tokens: Sequence[Token]) -> tuple[int, str]:
    """Return the last word, which is what stands between white space: the number of its first token, and its text."""
    if not tokens:  # but what follows may make one of an invisible character
        return 0, text[-_LONGEST_TAIL:]
    number = len(tokens) - 1
    while number:
        before, gap = tokens[number - 1], text[tokens[number - 1].end : tokens[number].start]
        is_too_long = tokens[-1].end - before.start > _LONGEST_TAIL
        if is_too_long or before.text.isspace() or any(map(str.isspace, gap)):
            break
        number -= 1
    return number, text[tokens[number].start : tokens[-1].end + _LONGEST_TAIL]


def _read_together(tokenize: Tokenizer, tail: str, text: str, limit: int | None) -> tuple[list[Token], list[Token]]:
    """Return the tokens of a context's tail and of the text after it, these with their places in the text.

    No token belongs to both: where one would, "and" before "pear", a space is read between them.
    """
    if not tail:
        return [], tokenize(text, limit=limit)
    for between in ("", " "):
        tokens = tokenize(f"{tail}{between}{text}", limit=limit)
        number = bisect_left(tokens, len(tail), key=attrgetter("start"))
        if not number or tokens[number - 1].end <= len(tail):
            break
    start = len(tail) + len(between)
    own = [Token(token.text, token.start - start, token.end - start) for token in tokens[number:]]
    return tokens[:number], own
