"""Candidates by total score, as for n-best lists of speech recognition and translation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqserve.errors import invalid
from seqserve.language.answers import RankedCandidate
from seqserve.service.engine.cancellation import Cancellation
from seqserve.service.engine.models import LanguageModel
from seqserve.service.schemas.rank import Candidate, RankRequest, RankResponse
from seqserve.service.tasks.read_texts import Intake, TokenLimits
from seqserve.service.tasks.score import Sums, counts_eos, sums_of
from seqserve.service.tasks.sequences import Sequences, Timing, score_sequences


class RankOptions(NamedTuple):
    """total = score + lm_weight * lm + length_bonus * num_tokens; lm is log_prob, or log_prob / num_tokens."""

    lm_weight: float = 1.0
    length_bonus: float = 0.0
    normalize: Literal["none", "tokens"] = "none"


@dataclass(frozen=True, slots=True)
class RankTask:
    """A request whose texts were encoded: text i of `sequences` is that of candidate i."""

    candidates: Sequence[Candidate]
    sequences: Sequences
    options: RankOptions


def rank_task(model: LanguageModel, body: RankRequest, limits: TokenLimits) -> RankTask:
    """Encode a request's texts; raises InvalidRequestError and TextTooLongError."""
    candidates = [Candidate(text=item) if isinstance(item, str) else item for item in body.candidates]
    options = RankOptions(body.lm_weight, body.length_bonus, body.normalize)
    return RankTask(candidates, _encode(model, body, limits), options)


def answer_rank(model: LanguageModel, task: RankTask, *, cancellation: Cancellation) -> tuple[RankResponse, Timing]:
    """Score and order the candidates.

    Raises InvalidRequestError, OverloadedError, DeadlineExceededError and InternalError.
    """
    with model.batcher.admitted(task.sequences.num_tokens, cancellation.client):
        scores, timing = score_sequences(model, task.sequences, num_top=0, cancellation=cancellation)
    sums = [sums_of(ids, found.log_probs) for ids, found in zip(task.sequences.texts, scores, strict=True)]
    ranking = rank_candidates(task.candidates, sums, task.options)
    response = RankResponse(
        model=model.manifest.name, version=model.manifest.version, best=ranking[0].index, ranking=ranking
    )
    return response, timing


def rank_candidates(
    candidates: Sequence[Candidate], sums: Sequence[Sums], options: RankOptions
) -> list[RankedCandidate]:
    """Order candidates by total, best first; of equal ones the first stays first.

    A candidate without tokens has lm = 0. Raises InvalidRequestError when a total is not finite.
    """
    outside = np.array([item.score for item in candidates])  # (N,) float64, as all below
    log_probs = np.array([item.log_prob for item in sums])
    num_tokens = np.array([item.num_tokens for item in sums], np.float64)
    lm = log_probs / np.maximum(num_tokens, 1) if options.normalize == "tokens" else log_probs
    with np.errstate(over="ignore", invalid="ignore"):  # looked at right after
        totals = outside + options.lm_weight * lm + options.length_bonus * num_tokens
    if not np.isfinite(totals).all():
        raise invalid("The total of this candidate is not finite.", "candidates", int(np.isfinite(totals).argmin()))
    posteriors = softmax(totals).tolist()
    return [
        RankedCandidate(
            index=index,
            text=candidates[index].text,
            total=float(totals[index]),
            log_prob=sums[index].log_prob,
            score=candidates[index].score,
            num_tokens=sums[index].num_tokens,
            num_unknown=sums[index].num_unknown,
            posterior=posteriors[index],
        )
        for index in np.argsort(-totals, kind="stable").tolist()
    ]


def softmax(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return exp(totals) scaled to sum to 1, for totals of any size."""
    with np.errstate(over="ignore"):  # the difference of two huge totals is an infinity, whose exponential is 0
        weights = np.exp(totals - totals.max())
    posteriors: NDArray[np.float64] = weights / weights.sum()
    return posteriors


def _encode(model: LanguageModel, body: RankRequest, limits: TokenLimits) -> Sequences:
    intake = Intake(model.bundle, limits)
    contexts = intake.encode_contexts([(body.context or "", "/context")] * len(body.candidates))
    eos = counts_eos(model, None)
    texts = [
        intake.encode(item if isinstance(item, str) else item.text, _place(index, item), eos=eos).ids
        for index, item in enumerate(body.candidates)
    ]
    return Sequences(texts, *contexts)


def _place(index: int, given: str | Candidate) -> str:
    return f"/candidates/{index}" if isinstance(given, str) else f"/candidates/{index}/text"
