"""Quantiles of latencies, and medians with their spread over rounds."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


def quantile(ordered: Sequence[float], part: float) -> float:
    """Return the smallest value that at least `part` (0 to 1) of the ordered values do not exceed.

    Nearest rank, not interpolated: a latency that some request really had. Raises ValueError when there is none.
    """
    if not ordered:
        raise ValueError("there is no quantile of nothing")
    rank = -(-part * len(ordered) // 1)  # ceiling
    return ordered[min(len(ordered), max(1, int(rank))) - 1]


@dataclass(frozen=True, slots=True)
class Spread:
    """Median of values with their least and greatest and their quartiles."""

    median: float
    least: float
    greatest: float
    lower: float
    upper: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Describe at least one value; raises ValueError on none."""
        ordered = sorted(values)
        return cls(
            median=statistics.median(ordered) if ordered else quantile(ordered, 0.5),
            least=ordered[0],
            greatest=ordered[-1],
            lower=quantile(ordered, 0.25),
            upper=quantile(ordered, 0.75),
        )
