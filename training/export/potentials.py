"""Transition potentials of a CRF, with the border before and after a row as one more state."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqserve.tagger.tags import allowed_transitions, continues
from seqserve.training.export.weights import Arrays

# Of transitions that the tag scheme forbids. Training adds -1e4, which suffices while emissions are smaller; this
# makes every answer legal for all emissions.
FORBIDDEN = -1e9


@dataclass(frozen=True)
class Potentials:
    """Log potentials between S states, border last: `between` (S,S) [from,to]; which tags continue which (S,S)."""

    between: NDArray[np.float32]
    continuing: NDArray[np.float64]

    def factors(self) -> NDArray[np.float64]:
        """Return exp(between), with 0 for what is forbidden."""
        return np.exp(self.between.astype(np.float64))

    @classmethod
    def of(cls, weights: Arrays, tags: tuple[str, ...], scheme: str) -> "Potentials":
        """Join crf.start, crf.transitions and crf.end; what the scheme forbids is FORBIDDEN."""
        num_tags = len(tags)
        between = np.full((num_tags + 1, num_tags + 1), FORBIDDEN, dtype=np.float32)
        start, transitions, end = allowed_transitions(tags, scheme)
        between[-1, :-1] = np.where(start, weights["crf.start"], FORBIDDEN)
        between[:-1, :-1] = np.where(transitions, weights["crf.transitions"], FORBIDDEN)
        between[:-1, -1] = np.where(end, weights["crf.end"], FORBIDDEN)
        continuing = np.zeros(between.shape)
        continuing[:-1, :-1] = [[continues(before, tag) for tag in tags] for before in tags]
        return cls(between, continuing)
