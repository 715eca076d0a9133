"""A run of a graph in parts, between which other work gets its turn."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

Result = TypeVar("Result")


class PartialRun(ABC, Generic[Result]):
    """Rows that run together, part by part; how they are cut into parts changes no result."""

    @abstractmethod
    def advance(self, until: float) -> list[float]:
        """Go on to the instant `until`, monotonic, by one step at least; return the cost of each row in tokens."""

    @abstractmethod
    def result(self, row: int) -> Result | None:
        """Return the result of a row; None while there is none."""

    @abstractmethod
    def give_up(self, row: int) -> None:
        """End the work on a row; its result is what has been found."""
