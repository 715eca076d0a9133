"""What waits in a batcher's queue: a request's rows, which carry their own reply."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from seqserve.partial_run import PartialRun
from seqserve.service.engine.cancellation import Cancellation
from seqserve.service.engine.event_loop import LoopEvent, make_event

Row = TypeVar("Row")
Result = TypeVar("Result")

LOOK_S = 0.05
"""How often a waiting request's client is looked at."""


class Answer(NamedTuple, Generic[Result]):
    """Results in the order of the rows, with the seconds spent waiting for the graph and being computed."""

    results: list[Result]
    queue_s: float
    compute_s: float


class Ticket(Generic[Row, Result]):
    """Rows of one request, of `lengths` tokens each, and their results, which the leading thread fills in."""

    def __init__(self, rows: Sequence[Row], lengths: Sequence[int], cancellation: Cancellation) -> None:
        if len(rows) != len(lengths):
            raise ValueError(f"{len(rows)} rows have {len(lengths)} lengths")
        self.rows, self.lengths = rows, lengths
        self.cancellation = cancellation
        self.left = deque(range(len(rows)))
        """Numbers of the rows that wait, in their order."""
        self.place = 0.0
        """Its place among the requests of its client, given by the queue."""
        self.wake = make_event()
        self.error: Exception | None = None
        self.is_abandoned = False
        self.client_has_left = False
        self._results: list[Any] = [None] * len(rows)
        self._num_missing = len(rows)
        self._submitted_at = self._looked_at = time.monotonic()
        self._started_at: float | None = None
        self._finished_at = self._submitted_at

    @property
    def is_finished(self) -> bool:
        """Whether every row has its result."""
        return self._num_missing == 0

    @property
    def is_in_loop(self) -> bool:
        """Whether a greenlet waits for it, not a thread."""
        return isinstance(self.wake, LoopEvent)

    def is_over(self, now: float) -> bool:
        """Say whether the results of more rows have no use; wakes the waiting greenlet when its client has left."""
        if self.is_finished or self.error is not None or self.is_abandoned or self.cancellation.is_over(now):
            return True
        if now - self._looked_at >= LOOK_S:
            self._looked_at = now
            if self.cancellation.is_alone(now):
                self.client_has_left = self.is_abandoned = True
                self.wake.set()
        return self.is_abandoned

    def start(self, now: float) -> None:
        """Note when the first row ran."""
        if self._started_at is None:
            self._started_at = now

    def put(self, index: int, result: Result, now: float) -> None:
        """Fill in the result of one row; the last one wakes the waiting greenlet."""
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


Entry = tuple[Ticket[Row, Result], int]
"""One row: its request, and its number there."""


@dataclass(slots=True, eq=False)
class Batch(Generic[Row, Result]):
    """Rows that run together.

    costs: of each row, in tokens, in the last run or in the one to come. work, numbers: of rows whose run is made in
    parts, the run after its first part, and which of its rows each entry is.
    """

    entries: list[Entry[Row, Result]]
    costs: Sequence[float]
    work: PartialRun[Result] | None = None
    numbers: Sequence[int] = ()

    @property
    def num_padded(self) -> float:
        """Tokens that a run of it takes, padding counted."""
        return len(self.costs) * max(self.costs, default=0)

    def costs_by_client(self) -> dict[str, float]:
        """Return the costs of each client's rows together."""
        costs: dict[str, float] = {}
        for (ticket, _), cost in zip(self.entries, self.costs, strict=True):
            client = ticket.cancellation.client
            costs[client] = costs.get(client, 0) + cost
        return costs

    def keep(self, kept: Sequence[int]) -> None:
        """Leave out all entries but those at the given places."""
        self.entries = [self.entries[place] for place in kept]
        self.costs = [self.costs[place] for place in kept]
        self.numbers = [self.numbers[place] for place in kept]
