"""What the checks of all kinds share: recorded answers come back, and a row does not change with its batch."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from seqserve.errors import BundleError

Row = TypeVar("Row")
Result = TypeVar("Result")


def compare(what: str, given: NDArray[Any], recorded: Any, tolerance: float) -> None:
    """Compare numbers with recorded ones, a nested list; raises BundleError, whose sentence begins with `what`."""
    try:
        expected = np.array(recorded, dtype=np.float64)
    except ValueError as error:
        raise BundleError(f"{what}, but the record has rows of unequal length") from error
    if given.shape != expected.shape:
        raise BundleError(f"{what} of shape {given.shape} instead of {expected.shape}")
    difference = float(np.abs(given.astype(np.float64) - expected).max())
    if not difference <= tolerance:  # also when it is not a number
        raise BundleError(f"{what} that differ by {difference:.3g}, more than {tolerance:.3g}")


def rows_stand_alone(
    run: Callable[[Sequence[Row]], Sequence[Result]], rows: Sequence[Row], bits: Callable[[Result], object]
) -> bool:
    """Say whether rows alone, together, and together in another order give the same bits; `bits`: those of a result."""
    alone = [bits(run([row])[0]) for row in rows]
    return all(alone == list(map(bits, results)) for results in (run(rows), run(rows[::-1])[::-1]))
