"""Requests of one moment share runs of one graph, without a timer; clients share the graph fairly.

Where a loop serves, one greenlet runs what waits, batch by batch, until nothing waits. Without a loop a thread that
waits runs the next batch whenever no other thread does. A timer that collects rows was measured and is worse: a 2 ms
wait costs 10 to 25 % of throughput and triples the latency of a lone client.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar, cast

from seqserve.partial_run import PartialRun
from seqserve.service.engine.batching.anticipation import Anticipation
from seqserve.service.engine.batching.fair_queue import FairQueue
from seqserve.service.engine.batching.plan import BatchLimits, next_batch
from seqserve.service.engine.batching.ticket import Answer, Batch, Ticket
from seqserve.service.engine.cancellation import Cancellation, ClientLeftError, late
from seqserve.service.engine.event_loop import go_on_beside, let_others_go, run_in_thread
from seqserve.service.engine.shares import Shares
from seqserve.service.errors import InternalError, OverloadedError

Row = TypeVar("Row")
Result = TypeVar("Result")

WINDOW = 256
"""Rows looked at when a batch is planned: enough to find company, few enough to cost nothing."""

FIRST_GUESS_TOKENS_PER_S = 10_000.0
"""Speed that is assumed before anything was measured."""

TURN_S = 0.01
"""How long a part of a run takes, and a run while others may come and one client has a backlog: what rows wait for."""


class BatchObserver(Protocol):
    """Who is told what ran; called by the thread that leads."""

    def count_batch(self, num_rows: int, num_tokens: int, num_padded: int) -> None:
        """A batch of this many rows and tokens has run, padded to `num_padded` tokens."""


class Batcher(Generic[Row, Result]):
    """Owns the queue of one graph.

    `run` takes rows and returns as many results, in order, or a run that is made in parts; two threads may call it at
    once. Where a loop serves, it is called in a thread beside it, or in the loop itself when it should take no longer
    than `quick_run_s`: where every loop has a core of its own, handing it over only costs time. Nothing else is
    answered meanwhile. client_share: see Shares. All requests come from greenlets of one loop, or all from threads.
    """

    def __init__(
        self,
        run: Callable[[list[Row]], Sequence[Result] | PartialRun[Result]],
        *,
        max_queue_tokens: int,
        limits: BatchLimits | None = None,
        quick_run_s: float = 0.0,
        client_share: float = 1.0,
    ) -> None:
        self.observer: BatchObserver | None = None
        self._run = run
        self._limits = limits or BatchLimits()
        self._quick_run_s = quick_run_s
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)  # told after each batch that a thread has run
        self._queue: FairQueue[Row, Result] = FairQueue(self._limits.max_padded_tokens)
        self._anticipation = Anticipation()
        self._is_led = False
        self._is_overtaken = False
        self._running: dict[int, tuple[float, Batch[Row, Result]]] = {}  # by id: since when, and what
        self._has_parts = False  # whether runs are made in parts, which are short whatever the batch
        self._room = Shares(max_queue_tokens, share=client_share, first=max_queue_tokens // 4)
        self._recent_tokens, self._recent_s = 0.0, 0.0

    @property
    def pending_tokens(self) -> int:
        """Tokens that were admitted and are not answered yet."""
        return self._room.held

    @property
    def running_since(self) -> float | None:
        """Monotonic time since when a batch is being run; None while none is."""
        return min((since for since, _ in list(self._running.values())), default=None)

    @contextmanager
    def admitted(self, num_tokens: int, client: str = "") -> Iterator[None]:
        """Hold room in the queue for a request's tokens; raises OverloadedError at once when there is none.

        An empty queue takes any request: one larger than the queue would else be told to come back for ever.
        """
        with self._lock:
            if not self._room.take(client, num_tokens):
                raise self._refusal(num_tokens, client)
        try:
            yield
        finally:
            with self._lock:
                self._room.give(client, num_tokens)

    def _refusal(self, num_tokens: int, client: str) -> OverloadedError:
        room, held = self._room, self._room.held_by(client)
        if room.is_full_for(client, num_tokens):
            return OverloadedError(
                f"{room.held} tokens are waiting and {num_tokens} more exceed the queue's limit of {room.limit} "
                "(max_queue_tokens).",
                retry_after_s=self._wait_s(room.held),
            )
        return OverloadedError(
            f"{held} tokens of this client are waiting and {num_tokens} more exceed its share of the queue's "
            f"{room.limit} tokens (--client-share).",
            retry_after_s=self._wait_s(min(room.held, held * room.num_clients)),  # all clients are served equally
        )

    def submit(self, rows: Sequence[Row], lengths: Sequence[int], *, cancellation: Cancellation) -> Answer[Result]:
        """Answer rows of `lengths` tokens each, in order, sharing runs with all others that wait.

        Rows that have not run when cancellation is over are dropped. Raises DeadlineExceededError, ClientLeftError, and
        InternalError when a run with one of the rows failed.
        """
        ticket: Ticket[Row, Result] = Ticket(rows, lengths, cancellation)
        if not rows:
            return ticket.answer()
        with self._lock:
            self._queue.add(ticket, time.monotonic())
            leads = ticket.is_in_loop and not self._is_led
            overtakes = ticket.is_in_loop and self._is_led and self._may_overtake(ticket)
            self._is_led = self._is_led or leads
            self._is_overtaken = self._is_overtaken or overtakes
        if leads:
            go_on_beside(self._lead_all)  # a greenlet of its own leads: this one waits no longer than its deadline
        elif overtakes:
            go_on_beside(lambda: self._overtake(ticket))
        if ticket.is_in_loop:
            ticket.wake.wait(max(0.0, cancellation.deadline - time.monotonic()))
        else:
            self._lead_or_wait(ticket)
        if not ticket.is_finished:
            with self._lock:
                ticket.is_abandoned = True
                self._queue.drop(ticket)
        if ticket.error is not None:
            raise InternalError("The model failed on this request.") from ticket.error
        if not ticket.is_finished:
            raise ClientLeftError if ticket.client_has_left else late()
        return ticket.answer()

    def _lead_all(self) -> None:
        """Lead until nothing waits."""
        while batch := self._next_batch():
            self._run_batch(batch)
            let_others_go()  # clients that this run has answered may ask again in time for the next one
            if self._quick_run_s:  # the loop has a core of its own
                self._anticipation.await_company(self._queue, len(batch.entries), self._limits.max_rows)

    def _may_overtake(self, ticket: Ticket[Row, Result]) -> bool:
        """Say whether a small request may run beside the batch of a client with a backlog, without waiting for it."""
        most, client = TURN_S * self._tokens_per_s, ticket.cancellation.client
        if self._is_overtaken or self._has_parts or sum(ticket.lengths) > most:
            return False
        if not self._queue.is_crowded(time.monotonic(), self._limits.max_padded_tokens):
            return False
        return any(
            batch.num_padded > most / 4 and all(other.cancellation.client != client for other, _ in batch.entries)
            for _, batch in self._running.values()
        )

    def _overtake(self, ticket: Ticket[Row, Result]) -> None:
        """Run the rows of a request beside the batch that is being run."""
        with self._lock:
            entries = [(ticket, row) for row in ticket.left]
            batch = Batch(entries, [ticket.lengths[row] for row in ticket.left])
            if entries:  # else its turn has come meanwhile
                self._queue.take(batch)
        if entries:
            self._run_batch(batch, is_alone=False)
        self._is_overtaken = False

    def _lead_or_wait(self, ticket: Ticket[Row, Result]) -> None:
        """Run batches while no other thread does, and wait for them while one does, until the ticket is over."""
        while not ticket.is_over(now := time.monotonic()):
            with self._changed:
                if self._is_led:
                    self._changed.wait(min(threading.TIMEOUT_MAX, ticket.cancellation.deadline - now))
                    continue
                self._is_led = True
            try:
                if batch := self._next_batch():
                    self._run_batch(batch)
            finally:
                with self._changed:
                    self._is_led = False
                    self._changed.notify_all()

    def _next_batch(self) -> Batch[Row, Result] | None:
        """Take the next batch; without any, the next request leads anew."""
        with self._lock:
            batch = self._take()
            self._is_led = batch is not None
            return batch

    def _take(self) -> Batch[Row, Result] | None:
        """Remove the batch whose turn it is from the queue."""
        now = time.monotonic()
        while begun := self._queue.take_started():
            if _keep_living(begun, now):
                return begun
        window = self._queue.front(WINDOW, now)
        if not window:
            return None
        lengths = [ticket.lengths[row] for ticket, row in window]
        chosen = sorted(next_batch(lengths, self._limits_at(now)))
        batch = Batch([window[place] for place in chosen], [lengths[place] for place in chosen])
        self._queue.take(batch)
        return batch

    def _limits_at(self, now: float) -> BatchLimits:
        """Return the limits of the next batch, whose run is short while a client with a backlog is not alone."""
        most = self._limits.max_padded_tokens
        if self._has_parts or not self._queue.is_crowded(now, most):
            return self._limits
        return self._limits._replace(max_padded_tokens=min(most, int(TURN_S * self._tokens_per_s)))

    def _run_batch(self, batch: Batch[Row, Result], *, is_alone: bool = True) -> None:
        started_at = time.monotonic()
        self._running[id(batch)] = started_at, batch
        for ticket, _ in batch.entries:
            ticket.start(started_at)
        is_new, lengths = batch.work is None, batch.costs
        try:
            results = self._results_of(batch) if self._is_quick(batch) else run_in_thread(self._results_of, batch)
            if len(results) != len(batch.entries):
                raise AssertionError(f"{len(batch.entries)} rows gave {len(results)} results")
        except Exception as error:  # each waiter gets it; the next batch is not concerned
            for ticket, _ in batch.entries:
                ticket.fail(error)
            return
        finally:
            del self._running[id(batch)]
            with self._lock:
                self._queue.charge(batch)
        finished_at = time.monotonic()
        if is_alone:
            self._recent_tokens = 0.95 * self._recent_tokens + sum(batch.costs)
            self._recent_s = 0.95 * self._recent_s + finished_at - started_at
        is_whole = batch.work is None
        for (ticket, row), result in zip(batch.entries, results, strict=True):
            if is_whole or result is not None:
                ticket.put(row, cast(Result, result), finished_at)
        if not is_whole:
            batch.keep([place for place, result in enumerate(results) if result is None])
            if batch.entries:
                with self._lock:
                    self._queue.put_back(batch)
        if is_new and self.observer is not None:
            self.observer.count_batch(len(lengths), int(sum(lengths)), len(lengths) * int(max(lengths)))

    def _results_of(self, batch: Batch[Row, Result]) -> Sequence[Result | None]:
        """Run a batch, or the next part of its run; None for rows that are not finished."""
        work = batch.work
        if work is None:
            outcome = self._run([ticket.rows[row] for ticket, row in batch.entries])
            if not isinstance(outcome, PartialRun):
                return outcome
            self._has_parts = True
            work = batch.work = outcome
            batch.numbers = range(len(batch.entries))
        # A small one is over soon: cutting it in short parts would only let it wait for others' more often.
        is_small = batch.num_padded <= self._limits.max_padded_tokens / 16
        costs = work.advance(time.monotonic() + (2 * TURN_S if is_small else TURN_S))
        batch.costs = [costs[number] for number in batch.numbers]
        return [work.result(number) for number in batch.numbers]

    def _is_quick(self, batch: Batch[Row, Result]) -> bool:
        """Whether a batch should run in no more than `quick_run_s`; never before a run has been timed."""
        if not self._recent_s:
            return False
        return batch.num_padded <= self._quick_run_s * self._tokens_per_s

    def _wait_s(self, num_tokens: float) -> int:
        """Whole seconds in which this many tokens will have been answered; at least 1."""
        return max(1, math.ceil(num_tokens / self._tokens_per_s))

    @property
    def _tokens_per_s(self) -> float:
        """The speed measured lately."""
        return self._recent_tokens / self._recent_s if self._recent_s else FIRST_GUESS_TOKENS_PER_S


def _keep_living(batch: Batch[Row, Result], now: float) -> bool:
    """Give up the rows of a batch that nobody waits for; say whether any is left."""
    living = [place for place, (ticket, _) in enumerate(batch.entries) if not ticket.is_over(now)]
    if len(living) < len(batch.entries) and batch.work is not None:
        for place in {*range(len(batch.entries))}.difference(living):
            batch.work.give_up(batch.numbers[place])
        batch.keep(living)
    return bool(living)
