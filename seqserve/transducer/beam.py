"""Beam search over a step function, for many texts at once; pure, a beam of 1 is greedy decoding.

Each step extends every live hypothesis by its most likely next tokens and keeps the best by log-probability, as many
as the beam has room for; one that ends with <EOS> leaves the beam and keeps its place, so that the beam shrinks until
it is empty (Sutskever et al. 2014). Of those that ended, the best by log-probability a token wins: a plain sum would
favour short ones. Ties go to the hypothesis that stood higher before, then to the lower id. A text's result depends on
nothing but its own steps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqserve.vocabulary.tokens import EOS_ID, START_ID


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """ids with <EOS> when it ended; log_prob: the sum of its tokens', natural, in float64."""

    ids: tuple[int, ...]
    log_prob: float

    @property
    def finish_reason(self) -> Literal["eos", "length"]:
        """Say whether it ended by itself."""
        return "eos" if self.ids[-1:] == (EOS_ID,) else "length"

    @property
    def score(self) -> float:
        """Log-probability a token."""
        return self.log_prob / max(1, len(self.ids))


class Search(NamedTuple):
    """How one text is searched: the width of its beam, and the most tokens of its answer, <EOS> counted."""

    beams: int
    max_tokens: int


class StepRows(NamedTuple):
    """Rows (R,) of one step: which text each belongs to, which row of the step before it goes on from, what it reads.

    parents: of the first step, the texts. num_top: alternatives that each row needs.
    """

    texts: NDArray[np.intp]
    parents: NDArray[np.intp]
    previous_ids: NDArray[np.int32]
    num_top: int


Step = Callable[[StepRows], tuple[NDArray[np.int32], NDArray[np.float32]]]
"""Advance every row: ids and log-probabilities of its most likely next tokens, (R,K) each, falling."""


@dataclass(slots=True)
class _Beam:
    """One text's search; `live` are its hypotheses in their order, each with its row in the last step."""

    search: Search
    live: list[tuple[Hypothesis, int]]
    ended: list[Hypothesis] = field(default_factory=list)

    def extend(self, first_row: int, top_ids: list[list[int]], top_log_probs: list[list[float]]) -> None:
        """Take the alternatives of the live hypotheses, whose rows begin at first_row."""
        room = self.search.beams - len(self.ended)
        candidates = [
            (hypothesis.log_prob + log_prob, first_row + place, token_id)
            for place, (hypothesis, _) in enumerate(self.live)
            for token_id, log_prob in zip(top_ids[place][:room], top_log_probs[place][:room], strict=True)
        ]
        candidates.sort(key=lambda candidate: -candidate[0])  # stable: ties stay in the order of hypotheses and ids
        parents = [hypothesis for hypothesis, _ in self.live]
        self.live = []
        for log_prob, row, token_id in candidates[:room]:
            longer = Hypothesis((*parents[row - first_row].ids, token_id), log_prob)
            if token_id == EOS_ID or len(longer.ids) == self.search.max_tokens:
                self.ended.append(longer)
            else:
                self.live.append((longer, row))

    def give_up(self) -> None:
        """End the live hypotheses as they are."""
        self.ended += [hypothesis for hypothesis, _ in self.live]
        self.live = []

    def best(self) -> Hypothesis:
        """Return the best hypothesis that ended with <EOS>; without one, the best that was cut off."""
        complete = [each for each in self.ended if each.finish_reason == "eos"]
        return max(complete or self.ended, key=lambda each: each.score)


class BeamSearch:
    """The search of all texts, step by step: other work may be done between two steps.

    A step's rows are those of the first text's beam, then of the second's, and so on; texts that are done have none.
    """

    def __init__(self, step: Step, searches: Sequence[Search]) -> None:
        self._step = step
        self._beams = [_Beam(wanted, [(Hypothesis((), 0.0), text)]) for text, wanted in enumerate(searches)]

    @property
    def is_done(self) -> bool:
        """Whether every text has its result."""
        return not any(beam.live for beam in self._beams)

    def num_live(self) -> list[int]:
        """Return how many hypotheses of each text the next step extends."""
        return [len(beam.live) for beam in self._beams]

    def give_up(self, text: int) -> None:
        """End the search of a text as it is."""
        self._beams[text].give_up()

    def result(self, text: int) -> Hypothesis | None:
        """Return the best hypothesis of a text; None while the search goes on."""
        beam = self._beams[text]
        return None if beam.live else beam.best()

    def advance(self) -> None:
        """Extend every live hypothesis by a token; there must be one."""
        beams = self._beams
        rows = [(text, row, hypothesis) for text, beam in enumerate(beams) for hypothesis, row in beam.live]
        top_ids, top_log_probs = self._step(
            StepRows(
                np.array([text for text, _, _ in rows], np.intp),
                np.array([row for _, row, _ in rows], np.intp),
                np.array([hypothesis.ids[-1] if hypothesis.ids else START_ID for _, _, hypothesis in rows], np.int32),
                max(beam.search.beams - len(beam.ended) for beam in beams if beam.live),
            )
        )
        ids, log_probs = top_ids.tolist(), top_log_probs.tolist()
        first = 0
        for beam in beams:
            if count := len(beam.live):
                beam.extend(first, ids[first : first + count], log_probs[first : first + count])
                first += count


def search(step: Step, searches: Sequence[Search]) -> list[Hypothesis]:
    """Return the best hypothesis of each text."""
    going = BeamSearch(step, searches)
    while not going.is_done:
        going.advance()
    return [found for text in range(len(searches)) if (found := going.result(text)) is not None]
