"""Candidates by total score, as for n-best lists of speech recognition and translation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqserve.errors import invalid
from seqserve.language.answers import RankedCandidate
from seqserve.language.batches import ScoredRow
from seqserve.language.model import LanguageModelBundle
from seqserve.language.options import Candidate, RankOptions
from seqserve.language.pipeline.read_texts import InputText, TextReader, own_rows, sequences_of
from seqserve.language.pipeline.score import counts_eos
from seqserve.language.scoring import Sequences, Sums, sums_of
from seqserve.reading import Limits, Place


@dataclass(frozen=True, slots=True)
class RankTask:
    """Candidates that were read: text i of `inputs` and of `sequences` is that of candidate i."""

    candidates: Sequence[Candidate]
    inputs: Sequence[InputText]
    sequences: Sequences
    options: RankOptions

    def ranking(self, scores: Sequence[ScoredRow]) -> list[RankedCandidate]:
        """Return the candidates, best first; raises InvalidRequestError."""
        rows = zip(self.inputs, own_rows(self.inputs, scores), strict=True)
        sums = [sums_of(item.ids, found.log_probs) for item, found in rows]
        return rank_candidates(self.candidates, sums, self.options)


def read_rank(bundle: LanguageModelBundle, options: RankOptions, limits: Limits) -> RankTask:
    """Encode the texts of candidates and their context; raises TextTooLongError."""
    reader = TextReader(bundle, limits)
    context = reader.read_context(options.context or "", ("context",))
    eos = counts_eos(bundle, None)
    inputs = [
        reader.read(item if isinstance(item, str) else item.text, _place(index, item), context=context, eos=eos)
        for index, item in enumerate(options.candidates)
    ]
    candidates = [Candidate(text=item) if isinstance(item, str) else item for item in options.candidates]
    return RankTask(candidates, inputs, sequences_of(inputs), options)


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


def _place(index: int, given: str | Candidate) -> Place:
    return ("candidates", index) if isinstance(given, str) else ("candidates", index, "text")
