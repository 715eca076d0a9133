"""Decide which waiting rows run together: pure functions of their lengths and the limits."""

from collections.abc import Sequence
from typing import NamedTuple

STEP_TOKENS = 0.8
"""The fixed cost of a step, in tokens. Measured: 0.3 to 1 for the models here."""

RUN_TOKENS = 10.0
"""The fixed cost of a run, in tokens. Measured: up to 19. It makes short rows share a batch."""


class BatchLimits(NamedTuple):
    """How large a batch may be.

    Measured on two cores: 8 to 16 rows are fastest, and rows of mixed lengths are slower together than one by one.
    """

    max_rows: int = 16
    max_padded_tokens: int = 1024
    """Rows x longest row. It bounds the memory of a run, which the runtime keeps: with words of 32 characters, 40 kB a
    token for the convolution over characters. A longer row runs alone."""


def plan_batches(lengths: Sequence[int], limits: BatchLimits) -> list[list[int]]:
    """Cut rows, longest first, into the batches that cost least together; every index of `lengths` is in one batch.

    A batch costs RUN_TOKENS, and for each step of its longest row, to which all are padded, its rows and STEP_TOKENS.
    Exact, by dynamic programming: for each n, the best last batch of the n longest rows.
    """
    order = _longest_first(lengths)
    sizes = [lengths[row] for row in order]
    cheapest = [0.0]  # of the first n rows
    starts: list[int] = []  # of the last batch of the first n + 1 rows
    bases: list[float] = []  # the cost of a batch that starts at n, without its rows, and of all rows before
    low = 0  # the earliest start that the limits allow; never decreases
    for end, size in enumerate(sizes, 1):
        bases.append(cheapest[-1] + RUN_TOKENS + size * STEP_TOKENS)
        low = max(low, end - limits.max_rows)
        while low < end - 1 and sizes[low] * (end - low) > limits.max_padded_tokens:
            low += 1
        costs = [bases[start] + sizes[start] * (end - start) for start in range(end - 1, low - 1, -1)]
        least = min(costs)
        cheapest.append(least)
        starts.append(end - 1 - costs.index(least))
    batches: list[list[int]] = []
    end = len(order)
    while end:
        batches.append(order[starts[end - 1] : end])
        end = starts[end - 1]
    return batches[::-1]


def next_batch(lengths: Sequence[int], limits: BatchLimits) -> list[int]:
    """Return the batch that holds row 0, which is next, in the plan of the rows nearest to it in length.

    Only two batches' worth of rows are planned. More would take longer, and a number of rows that does not fill whole
    batches is cut into smaller ones.
    """
    order = _longest_first(lengths)
    first = max(0, min(order.index(0) - limits.max_rows, len(order) - 2 * limits.max_rows))
    near = order[first : first + 2 * limits.max_rows]
    batches = plan_batches([lengths[row] for row in near], limits)
    return next(rows for batch in batches if 0 in (rows := [near[index] for index in batch]))


def _longest_first(lengths: Sequence[int]) -> list[int]:
    return sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)  # equal lengths stay in order
