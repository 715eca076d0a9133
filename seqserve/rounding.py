"""Probabilities as they are shown."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

SCORE_DECIMALS = 6
"""Probabilities are rounded to this many decimals, of about 7 that float32 has: short numbers, the same every time."""


def rounded_all(probabilities: NDArray[np.float32]) -> list[Any]:
    """Return an array of probabilities as nested lists of rounded numbers."""
    # Sums in float32 may end a little above 1.
    rounded: list[Any] = np.round(np.clip(probabilities.astype(np.float64), 0.0, 1.0), SCORE_DECIMALS).tolist()
    return rounded


def rounded(probability: float) -> float:
    """Return one probability, rounded."""
    return round(min(max(probability, 0.0), 1.0), SCORE_DECIMALS)
