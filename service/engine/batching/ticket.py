"""Hold the rows of a request with their results, and batches of such rows."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from seqserve.partial_run import PartialRun
from seqserve.service.engine.cancellation import Cancellation
from seqserve.service.engine.event_loop import make_event

Row = TypeVar("Row")
Result = TypeVar("Result")

LOOK_S = 0.05
"""Interval in which a waiting request asks whether its client has left."""


class Answer(NamedTuple, Generic[Result]):
    """Results in the order of the rows, with the seconds spent waiting for the graph and being computed."""

    results: list[Result]
    queue_s: float
    compute_s: float


class Ticket(Generic[Row, Result]):
    """The rows of one request, of `lengths` tokens each, and their results, which the batcher fills in."""

    def __init__(self, rows: Sequence[Row], lengths: Sequence[int], cancellation: Cancellation) -> None:
        if len(rows) != len(lengths):
            raise ValueError(f"{len(rows)} rows have {len(lengths)} lengths")
        self.rows, self.lengths = rows, lengths
        self.cancellation = cancellation
        self.left = deque(range(len(rows)))
        """Indices of the rows that have not run, in order."""
        self.finish_tag = 0.0
        """Its place among the requests of its client, set by the queue."""
        self.done = make_event()
        """Set when the request is finished, has failed, or has lost its client."""
        self.error: Exception | None = None
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

    def is_over(self, now: float) -> bool:
        """Return whether more results are of no use; every LOOK_S seconds this asks whether the client has left."""
        if self.is_finished or self.error is not None or self.client_has_left or self.cancellation.is_over(now):
            return True
        if now - self._looked_at >= LOOK_S:
            self._looked_at = now
            if self.cancellation.has_client_left(now):
                self.client_has_left = True
                self.done.set()
        return self.client_has_left

    def start(self, now: float) -> None:
        """Note when the first row ran."""
        if self._started_at is None:
            self._started_at = now

    def put(self, index: int, result: Result, now: float) -> None:
        """Fill in the result of one row."""
        self._results[index] = result
        self._num_missing -= 1
        self._finished_at = now
        if self.is_finished:
            self.done.set()

    def fail(self, error: Exception) -> None:
        """End the whole request with an error."""
        self.error = error
        self.done.set()

    def answer(self) -> Answer[Result]:
        """Return the results of a finished ticket."""
        started_at = self._submitted_at if self._started_at is None else self._started_at
        return Answer(self._results, started_at - self._submitted_at, self._finished_at - started_at)


Entry = tuple[Ticket[Row, Result], int]
"""One row: its request, and its index there."""


@dataclass(slots=True, eq=False)
class Batch(Generic[Row, Result]):
    """Rows that run together.

    costs: of each row, in tokens: of the last run, or of the next one before the first. work: the run, if it is made in
    parts and has begun. numbers: which row of `work` each entry is.
    """

    entries: list[Entry[Row, Result]]
    costs: Sequence[float]
    work: PartialRun[Result] | None = None
    numbers: Sequence[int] = ()

    @property
    def num_padded(self) -> float:
        """Tokens of a run, padding included."""
        return len(self.costs) * max(self.costs, default=0)

    @property
    def clients(self) -> set[str]:
        """The clients of the rows."""
        return {ticket.cancellation.client for ticket, _ in self.entries}

    def keep(self, kept: Sequence[int]) -> None:
        """Remove all entries but those with the given indices."""
        self.entries = [self.entries[index] for index in kept]
        self.costs = [self.costs[index] for index in kept]
        self.numbers = [self.numbers[index] for index in kept]

    def drop_over(self, now: float) -> bool:
        """Remove the rows of requests that are over from a run that has begun; return whether any row is left."""
        kept = [index for index, (ticket, _) in enumerate(self.entries) if not ticket.is_over(now)]
        if self.work is not None and len(kept) < len(self.entries):
            for index in {*range(len(self.entries))}.difference(kept):
                self.work.give_up(self.numbers[index])
            self.keep(kept)
        return bool(kept)
