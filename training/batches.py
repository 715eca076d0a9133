"""Plans of batches of similar length, the same for the same seed and epoch."""

from collections.abc import Sequence

import numpy as np

POOL_BATCHES = 50  # sentences are sorted by length within pools of this many batches


def plan_epoch(lengths: Sequence[int], batch_size: int, generator: np.random.Generator) -> list[list[int]]:
    """Return batches of indices into `lengths`: every index once, similar lengths together, in random order."""
    order = generator.permutation(len(lengths))
    pool_size = POOL_BATCHES * batch_size
    batches = []
    for start in range(0, len(order), pool_size):
        pool = sorted(order[start : start + pool_size].tolist(), key=lambda i: lengths[i])
        batches += [pool[i : i + batch_size] for i in range(0, len(pool), batch_size)]
    return [batches[i] for i in generator.permutation(len(batches))]


def plan_evaluation(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Return batches of indices, shortest sentences first."""
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
