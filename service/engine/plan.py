"""Which of the waiting rows run together: a pure function of their lengths and the limits."""

from collections.abc import Sequence
from typing import NamedTuple

SHORT = 8
"""Rows up to this many tokens share a batch whatever their proportion: padding costs next to nothing there."""


class BatchLimits(NamedTuple):
    """How large a batch may be.

    Measured on two cores: 8 to 16 rows are fastest, and rows of mixed lengths are slower together than one by one.
    """

    max_rows: int = 16
    max_padded_tokens: int = 1024
    """Rows x longest row; bounds the memory of a run: with words of 32 characters, 40 kB a token for the convolution
    over characters, which the runtime keeps. A single longer row runs alone."""


def plan_batches(lengths: Sequence[int], limits: BatchLimits) -> list[list[int]]:
    """Cut rows into batches of like length, longest first; every index of `lengths` is in exactly one batch.

    A row joins a batch when it fits the limits and is at least half as long as the batch's longest row.
    """
    batches: list[list[int]] = []
    longest = 0
    for index in sorted(range(len(lengths)), key=lambda row: (-lengths[row], row)):
        length = lengths[index]
        if not batches or not _joins(length, longest, len(batches[-1]), limits):
            batches.append([])
            longest = length
        batches[-1].append(index)
    return batches


def next_batch(lengths: Sequence[int], limits: BatchLimits) -> list[int]:
    """Return the batch that holds row 0, the one whose turn it is, with its best company among the others."""
    return next(batch for batch in plan_batches(lengths, limits) if 0 in batch)


def _joins(length: int, longest: int, num_rows: int, limits: BatchLimits) -> bool:
    fits = num_rows < limits.max_rows and (num_rows + 1) * longest <= limits.max_padded_tokens
    return fits and (longest <= SHORT or 2 * length >= longest)
