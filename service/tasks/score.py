"""The probability of texts: sums over tokens in float64, perplexities, and every token with its alternatives."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from seqserve.errors import invalid
from seqserve.language.answers import Alternative, ScoredToken, ScoreResult
from seqserve.service.engine.cancellation import Cancellation
from seqserve.service.engine.event_loop import in_turn_if_large
from seqserve.service.engine.models import LanguageModel
from seqserve.service.tasks.read_texts import EncodedInput
from seqserve.service.tasks.sequences import Ids, Scores, Sequences, Timing, score_sequences
from seqserve.vocabulary.tokens import EOS_FORM, UNKNOWN_ID, TokenVocabulary

_LN_10 = math.log(10.0)


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """What of the answer is wanted."""

    tokens: bool = False
    top: int = 0

    def num_top(self, num_types: int) -> int:
        """How many alternatives the graph has to find: ranks come with at least one."""
        return min(max(1, self.top), num_types) if self.tokens else 0


@dataclass(frozen=True, slots=True)
class Sums:
    """What is known of some tokens together; logarithms are natural, sums in float64."""

    log_prob: float = 0.0
    num_tokens: int = 0
    log_prob_known: float = 0.0
    num_unknown: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        """Return the sums over both."""
        return Sums(
            self.log_prob + other.log_prob,
            self.num_tokens + other.num_tokens,
            self.log_prob_known + other.log_prob_known,
            self.num_unknown + other.num_unknown,
        )

    @property
    def log10_prob(self) -> float:
        """The logarithm to base 10."""
        return self.log_prob / _LN_10

    @property
    def perplexity(self) -> float | None:
        """exp(-log_prob / num_tokens); None without tokens and where that overflows."""
        return _perplexity(self.log_prob, self.num_tokens)

    @property
    def perplexity_known(self) -> float | None:
        """The same without unknown tokens."""
        return _perplexity(self.log_prob_known, self.num_tokens - self.num_unknown)


def sums_of(ids: Ids, log_probs: NDArray[np.float32]) -> Sums:
    """Add up the tokens of one text."""
    exact = log_probs.astype(np.float64)
    total = float(exact.sum())
    is_known = ids != UNKNOWN_ID
    num_unknown = len(ids) - int(np.count_nonzero(is_known))
    return Sums(total, len(ids), float(exact[is_known].sum()) if num_unknown else total, num_unknown)


def counts_eos(model: LanguageModel, asked: bool | None) -> bool:
    """Say whether <EOS> is scored; raises InvalidRequestError when it is asked of a model that never learned it."""
    if asked and not model.manifest.ends_sentences:
        raise invalid(f"Model {model.manifest.name!r} never learned <EOS>: eos must be false.", "eos")
    return model.manifest.ends_sentences if asked is None else asked


def score_inputs(
    model: LanguageModel,
    inputs: Sequence[EncodedInput],
    contexts: tuple[Sequence[Ids], Sequence[int]],
    options: ScoreOptions,
    *,
    cancellation: Cancellation,
) -> tuple[list[ScoreResult], Timing]:
    """Score texts, each after its context: the distinct ones' ids, and which one comes before each text.

    Raises OverloadedError, DeadlineExceededError and InternalError.
    """
    sequences = Sequences([item.ids for item in inputs], *contexts)
    vocabulary = model.bundle.vocabulary
    num_top = options.num_top(len(vocabulary))
    with model.batcher.admitted(sequences.num_tokens, cancellation.client):
        scores, timing = score_sequences(model, sequences, num_top=num_top, cancellation=cancellation)
        # Within the queue's limit, because alternatives of many tokens take much memory.
        results = in_turn_if_large(
            sequences.num_tokens * max(1, options.top),
            lambda: [result_of(*pair, vocabulary, options) for pair in zip(inputs, scores, strict=True)],
            cancellation=cancellation,
        )
    return results, timing


def result_of(item: EncodedInput, scores: Scores, vocabulary: TokenVocabulary, options: ScoreOptions) -> ScoreResult:
    """Turn the scores of one text into its answer."""
    sums = sums_of(item.ids, scores.log_probs)
    return ScoreResult(
        log_prob=sums.log_prob,
        log10_prob=sums.log10_prob,
        prob=_prob(sums.log_prob),
        num_tokens=sums.num_tokens,
        num_unknown=sums.num_unknown,
        perplexity=sums.perplexity,
        perplexity_known=sums.perplexity_known,
        tokens=_tokens(item, scores, vocabulary, options) if options.tokens else UNSET,
    )


def _tokens(
    item: EncodedInput, scores: Scores, vocabulary: TokenVocabulary, options: ScoreOptions
) -> list[ScoredToken]:
    end = len(item.text)
    places = [*item.tokens, (EOS_FORM, end, end)][: len(item.ids)]  # <EOS> only when it counts
    numbers = zip(
        places,
        scores.log_probs.tolist(),
        scores.ranks.tolist(),
        (item.ids == UNKNOWN_ID).tolist(),
        strict=True,
    )
    tokens = [
        ScoredToken(text=text, start=start, end=end, log_prob=log_prob, rank=rank, is_unknown=is_unknown)
        for (text, start, end), log_prob, rank, is_unknown in numbers
    ]
    if options.top:
        rows = zip(tokens, scores.top_ids.tolist(), scores.top_log_probs.tolist(), strict=True)
        for token, ids, log_probs in rows:
            token.top = [
                Alternative(text=vocabulary.form_of(token_id), log_prob=log_prob)
                for token_id, log_prob in zip(ids, log_probs, strict=True)
            ]
    return tokens


def _prob(log_prob: float) -> float:
    return math.exp(min(log_prob, 0.0))  # sums of exponentials in float32 may end a little above 1


def _perplexity(log_prob: float, num_tokens: int) -> float | None:
    if not num_tokens:
        return None
    try:
        return math.exp(-log_prob / num_tokens)
    except OverflowError:
        return None
