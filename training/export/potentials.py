"""Transition potentials of a CRF, with the border before and after a row as one more state."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqserve.tagger.manifest import MAX_TEMPERATURE, MIN_TEMPERATURE
from seqserve.tagger.tags import allowed_transitions, continues
from seqserve.training.export.weights import Arrays

# Of transitions that the tag scheme forbids. Training adds -1e4, which suffices while emissions are smaller; this
# makes every answer legal for all emissions.
FORBIDDEN = -1e9


@dataclass(frozen=True)
class Potentials:
    """Log potentials between S states, border last: `between` (S,S) [from,to]; which tags continue which (S,S).

    temperature: what probabilities divide every log potential by, emissions too (Guo et al. 2017, "On Calibration of
    Modern Neural Networks", section 4.2). The best path does not depend on it.
    """

    between: NDArray[np.float32]
    continuing: NDArray[np.float64]
    temperature: float = 1.0

    def factors(self) -> NDArray[np.float64]:
        """Return exp(between / temperature), with 0 for what is forbidden."""
        return np.exp(self.between.astype(np.float64) / self.temperature)

    def inside(self) -> NDArray[np.float64]:
        """Return which tags continue which and may be continued themselves: the I tags of either scheme, (S,S)."""
        return self.continuing * (self.continuing.sum(axis=1) > 0)

    @classmethod
    def of(cls, weights: Arrays, tags: tuple[str, ...], scheme: str, temperature: float = 1.0) -> "Potentials":
        """Join crf.start, crf.transitions and crf.end; what the scheme forbids is FORBIDDEN.

        Raises ValueError for a temperature out of MIN_TEMPERATURE to MAX_TEMPERATURE.
        """
        if not MIN_TEMPERATURE <= temperature <= MAX_TEMPERATURE:
            raise ValueError(f"temperature must lie in {MIN_TEMPERATURE:g} to {MAX_TEMPERATURE:g}, not {temperature}")
        num_tags = len(tags)
        between = np.full((num_tags + 1, num_tags + 1), FORBIDDEN, dtype=np.float32)
        start, transitions, end = allowed_transitions(tags, scheme)
        between[-1, :-1] = np.where(start, weights["crf.start"], FORBIDDEN)
        between[:-1, :-1] = np.where(transitions, weights["crf.transitions"], FORBIDDEN)
        between[:-1, -1] = np.where(end, weights["crf.end"], FORBIDDEN)
        continuing = np.zeros(between.shape)
        continuing[:-1, :-1] = [[continues(before, tag) for tag in tags] for before in tags]
        return cls(between, continuing, temperature)
