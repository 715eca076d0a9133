"""What waits in a batcher's queue: a row that carries its own reply."""

import time
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from service.engine.fair_clock import Turn
from service.engine.patience import Patience
from service.engine.waiting import make_event

Row = TypeVar("Row")
Result = TypeVar("Result")

LOOK_S = 0.05
"""How often a waiting request's client is looked at."""


class Answer(NamedTuple, Generic[Result]):
    """Results in the order of the rows, with the seconds spent waiting for the graph and being computed."""

    results: list[Result]
    queue_s: float
    compute_s: float


class Ticket(Generic[Result]):
    """The reply of one request; filled by whichever thread leads, read by the thread that waits."""

    def __init__(self, num_rows: int, patience: Patience) -> None:
        self.patience = patience
        self.wake = make_event()
        self.error: Exception | None = None
        self.turn = Turn(0.0, 0.0)
        """Given when its rows are put into the queue."""
        self.is_promoted = False
        self.is_abandoned = False
        self.client_has_left = False
        self._results: list[Any] = [None] * num_rows
        self._num_missing = num_rows
        self._submitted_at = self._looked_at = time.monotonic()
        self._started_at: float | None = None
        self._finished_at = self._submitted_at

    @property
    def is_finished(self) -> bool:
        """Whether every row has its result."""
        return self._num_missing == 0

    def is_over(self, now: float) -> bool:
        """Whether running more of its rows would be in vain; wakes who waits when it is for want of a client."""
        if self.is_finished or self.error is not None or self.is_abandoned or self.patience.is_over(now):
            return True
        if now - self._looked_at >= LOOK_S:
            self._looked_at = now
            if self.patience.is_alone(now):
                self.client_has_left = self.is_abandoned = True
                self.wake.set()
        return self.is_abandoned

    def start(self, now: float) -> None:
        """Note when the first row ran."""
        if self._started_at is None:
            self._started_at = now

    def put(self, index: int, result: Result, now: float) -> None:
        """Fill in the result of one row; the last one wakes the waiting thread."""
        self._results[index] = result
        self._num_missing -= 1
        self._finished_at = now
        if self.is_finished:
            self.wake.set()

    def fail(self, error: Exception) -> None:
        """Give up on the whole request."""
        self.error = error
        self.wake.set()

    def answer(self) -> Answer[Result]:
        """Return the results of a finished ticket."""
        started_at = self._submitted_at if self._started_at is None else self._started_at
        return Answer(self._results, started_at - self._submitted_at, self._finished_at - started_at)


@dataclass(slots=True)
class Entry(Generic[Row, Result]):
    """One waiting row; entries run in the order of their tickets' turns."""

    row: Row
    length: int
    ticket: Ticket[Result]
    index: int
