"""Requests of one moment share runs of one graph: leader and followers, no timer.

Whoever finds the graph free leads: it runs what is waiting, batch by batch, until its own rows are answered, then
hands over to whoever waits; where a loop serves, a greenlet leads until nothing waits. A timer that collects rows was
measured and is worse: a 2 ms wait costs 10 to 25 % of throughput and triples the latency of a lone client.
"""

import math
import threading
import time
from bisect import insort
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Generic, Protocol, TypeVar

from service.engine.fair_clock import FairClock
from service.engine.patience import ClientLeftError, Patience, late
from service.engine.plan import BatchLimits, next_batch
from service.engine.ticket import Answer, Entry, Ticket
from service.engine.waiting import beside, go_on_beside, let_others_go
from service.errors import InternalError, OverloadedError

Row = TypeVar("Row")
Result = TypeVar("Result")

WINDOW = 256
"""Rows looked at when a batch is planned: enough to find company, few enough to cost nothing."""

FIRST_GUESS_TOKENS_PER_S = 10_000.0
"""Speed that is assumed before anything was measured."""

_FEW = 32
_place_of = attrgetter("ticket.turn.place")


class BatchObserver(Protocol):
    """Who is told what ran; called by whoever leads."""

    def count_batch(self, num_rows: int, num_tokens: int, num_padded: int) -> None:
        """A batch of so many rows and tokens has run, padded to `num_padded` tokens."""


class Batcher(Generic[Row, Result]):
    """Owns the queue of one graph.

    `run` takes rows and returns as many results, in order; it is never called by two threads at once. Where a loop
    serves, it is called in a thread beside it, or in the loop itself when it should take no longer than `quick_run_s`:
    where every loop has a core of its own, handing it over only costs time. Nothing else is answered meanwhile.
    """

    def __init__(
        self,
        run: Callable[[list[Row]], Sequence[Result]],
        *,
        max_queue_tokens: int,
        limits: BatchLimits | None = None,
        quick_run_s: float = 0.0,
    ) -> None:
        self.observer: BatchObserver | None = None
        self.running_since: float | None = None
        """Monotonic time since when a batch is being run; None while none is."""
        self._run = run
        self._limits = limits or BatchLimits()
        self._max_queue_tokens = max_queue_tokens
        self._quick_run_s = quick_run_s
        self._lock = threading.Lock()
        self._waiting: list[Entry[Row, Result]] = []  # by their requests' turns
        self._is_led = False
        self._clock = FairClock(self._limits.max_padded_tokens)
        self._pending_tokens = 0
        self._recent_tokens, self._recent_s = 0.0, 0.0

    @property
    def pending_tokens(self) -> int:
        """Tokens that were admitted and are not answered yet."""
        return self._pending_tokens

    @contextmanager
    def admitted(self, num_tokens: int) -> Iterator[None]:
        """Hold room in the queue for a request's tokens; raises OverloadedError at once when there is none.

        An empty queue takes any request: one larger than the queue would else be told to come back for ever.
        """
        with self._lock:
            if self._pending_tokens and self._pending_tokens + num_tokens > self._max_queue_tokens:
                raise OverloadedError(
                    f"{self._pending_tokens} tokens are waiting and {num_tokens} more exceed the queue's limit of "
                    f"{self._max_queue_tokens} (max_queue_tokens).",
                    retry_after_s=self._wait_s(),
                )
            self._pending_tokens += num_tokens
        try:
            yield
        finally:
            with self._lock:
                self._pending_tokens -= num_tokens

    def submit(self, rows: Sequence[Row], lengths: Sequence[int], *, patience: Patience) -> Answer[Result]:
        """Answer rows of `lengths` tokens each, in order, sharing runs with whoever else waits.

        Rows that have not run when patience is over are dropped. Raises DeadlineExceededError, ClientLeftError, and
        InternalError when a run with one of the rows failed.
        """
        ticket: Ticket[Result] = Ticket(len(rows), patience)
        if not rows:
            return ticket.answer()
        with self._lock:
            self._enqueue(ticket, rows, lengths)
            leads, self._is_led = not self._is_led, True
        if leads and go_on_beside(self._lead_all):
            leads = False  # a greenlet of its own leads, and this one waits no longer than its deadline
        if leads or self._follow(ticket):
            self._lead(ticket)
        if ticket.error is not None:
            raise InternalError("The model failed on this request.") from ticket.error
        if not ticket.is_finished:
            raise ClientLeftError if ticket.client_has_left else late()
        return ticket.answer()

    def _enqueue(self, ticket: Ticket[Result], rows: Sequence[Row], lengths: Sequence[int]) -> None:
        # A sentence that comes after a book waits for a batch of the book, not for all of it.
        ticket.turn = self._clock.admit(sum(lengths))
        entries = [
            Entry(row, length, ticket, index) for index, (row, length) in enumerate(zip(rows, lengths, strict=True))
        ]
        if len(entries) <= _FEW:
            for entry in entries:
                insort(self._waiting, entry, key=_place_of)
        else:
            self._waiting += entries
            self._waiting.sort(key=_place_of)

    def _follow(self, ticket: Ticket[Result]) -> bool:
        """Wait for the answer; return True when this thread has to lead instead."""
        ticket.wake.wait(max(0.0, ticket.patience.deadline - time.monotonic()))
        with self._lock:
            # A leader may have handed over at the very moment the wait ran out.
            if not ticket.is_promoted:
                self._abandon(ticket)
            return ticket.is_promoted

    def _lead_all(self) -> None:
        """Lead until nothing waits."""
        while batch := self._next_batch():
            self._run_batch(batch)
            let_others_go()  # whom this run has answered may ask again in time for the next one

    def _next_batch(self) -> list[Entry[Row, Result]]:
        """Take the next batch; without any, the next request leads anew."""
        with self._lock:
            batch = self._take()
            self._is_led = bool(batch)
            return batch

    def _lead(self, ticket: Ticket[Result]) -> None:
        try:
            while not ticket.is_over(time.monotonic()):
                with self._lock:
                    batch = self._take()
                if not batch:
                    return
                self._run_batch(batch)
        finally:
            with self._lock:
                self._abandon(ticket)
                self._hand_over()

    def _abandon(self, ticket: Ticket[Result]) -> None:
        """Note that nobody waits for this ticket any more; rows of it that have not run leave the queue."""
        ticket.is_abandoned = True
        if not ticket.is_finished:
            self._waiting = [entry for entry in self._waiting if entry.ticket is not ticket]
            self._clock.forget(ticket.turn)

    def _hand_over(self) -> None:
        # Every living entry's thread waits: the only other running one is the leader, whose ticket is abandoned.
        if front := self._front(1):
            front[0].ticket.is_promoted = True
            front[0].ticket.wake.set()
        else:
            self._is_led = False

    def _take(self) -> list[Entry[Row, Result]]:
        """Remove the batch whose turn it is from the queue."""
        window = self._front(WINDOW)
        if not window:
            return []
        chosen = sorted(next_batch([entry.length for entry in window], self._limits))
        batch = [window[index] for index in chosen]
        self._clock.advance(sum(entry.length for entry in batch))
        for index in reversed(chosen):
            del self._waiting[index]
        return batch

    def _front(self, size: int) -> list[Entry[Row, Result]]:
        """Return the first living rows, which stay in the queue, and drop dead ones before and among them.

        Looks at no more rows than it needs: a request may have 100,000, and this is done for every batch.
        """
        now = time.monotonic()
        front: list[Entry[Row, Result]] = []
        num_seen = 0
        ticket, is_over = None, True
        for entry in self._waiting:
            if len(front) == size:
                break
            num_seen += 1
            if entry.ticket is not ticket:
                ticket = entry.ticket
                is_over = ticket.is_over(now)
            if not is_over:
                front.append(entry)
        self._waiting[:num_seen] = front
        return front

    def _run_batch(self, batch: list[Entry[Row, Result]]) -> None:
        started_at = self.running_since = time.monotonic()
        for entry in batch:
            entry.ticket.start(started_at)
        try:
            rows = [entry.row for entry in batch]
            results = self._run(rows) if self._is_quick(batch) else beside(self._run, rows)
            if len(results) != len(batch):
                raise AssertionError(f"{len(batch)} rows gave {len(results)} results")
        except Exception as error:  # each waiter gets it; the next batch is not concerned
            for entry in batch:
                entry.ticket.fail(error)
            return
        finally:
            self.running_since = None
        finished_at = time.monotonic()
        lengths = [entry.length for entry in batch]
        self._recent_tokens = 0.95 * self._recent_tokens + sum(lengths)
        self._recent_s = 0.95 * self._recent_s + finished_at - started_at
        for entry, result in zip(batch, results, strict=True):
            entry.ticket.put(entry.index, result, finished_at)
        if self.observer is not None:
            self.observer.count_batch(len(lengths), sum(lengths), len(lengths) * max(lengths))

    def _is_quick(self, batch: Sequence[Entry[Row, Result]]) -> bool:
        """Whether a batch should run in no more than `quick_run_s`; never before a run has been timed."""
        if not self._recent_s:
            return False
        return len(batch) * max(entry.length for entry in batch) <= self._quick_run_s * self._tokens_per_s

    def _wait_s(self) -> int:
        """Whole seconds until what is pending will have been answered; at least 1."""
        return max(1, math.ceil(self._pending_tokens / self._tokens_per_s))

    @property
    def _tokens_per_s(self) -> float:
        """The speed measured lately."""
        return self._recent_tokens / self._recent_s if self._recent_s else FIRST_GUESS_TOKENS_PER_S
