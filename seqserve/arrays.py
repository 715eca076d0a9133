"""Checks of arrays that a graph must never see wrong; each raises ValueError, which names the array and the limit."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def check_array(name: str, array: NDArray[Any], dtype: type[np.generic], rank: int, size: int | None = None) -> None:
    """Refuse what is no array of this type and rank, is empty, or has another number of entries than `size`."""
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != rank:
        found = f"{array.dtype} of rank {array.ndim}" if isinstance(array, np.ndarray) else type(array).__name__
        raise ValueError(f"{name} must be {np.dtype(dtype)} of rank {rank}, not {found}")
    if array.size == 0:
        raise ValueError(f"{name} must not be empty, its shape is {array.shape}")
    if size is not None and len(array) != size:
        raise ValueError(f"{name} must have {size} entries, not {len(array)}")


def check_finite(name: str, array: NDArray[np.float32]) -> None:
    """Refuse infinities, and what is not a number."""
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite")


def check_range(name: str, array: NDArray[np.int32], lowest: int, highest: int) -> None:
    """Refuse numbers outside a range, both ends of which are in it."""
    smallest, largest = int(array.min()), int(array.max())
    if smallest < lowest or largest > highest:
        raise ValueError(f"{name} must lie in {lowest} to {highest}, but holds {smallest} to {largest}")
