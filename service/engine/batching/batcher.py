"""Run rows of concurrent requests together, without a timer, and divide the graph fairly among clients.

Where a loop serves, one greenlet runs batch after batch until the queue is empty. Without a loop, every caller runs its
own rows. A timer that collects rows was measured and is worse: waiting 2 ms costs 10 to 25 % of the throughput and
triples the latency of a lone client.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

from gevent import sleep, spawn

from seqserve.partial_run import PartialRun
from seqserve.service.engine.batching.anticipation import Anticipation
from seqserve.service.engine.batching.fair_queue import FairQueue
from seqserve.service.engine.batching.plan import BatchLimits, next_batch
from seqserve.service.engine.batching.ticket import Answer, Batch, Ticket
from seqserve.service.engine.cancellation import Cancellation, ClientLeftError, late
from seqserve.service.engine.event_loop import has_loop, run_in_thread
from seqserve.service.engine.shares import Shares
from seqserve.service.errors import InternalError, OverloadedError

Row = TypeVar("Row")
Result = TypeVar("Result")

WINDOW = 256
"""Rows among which a batch is planned: enough to find rows of like length, few enough to be quick."""

FIRST_GUESS_TOKENS_PER_S = 10_000.0
"""The assumed speed before the first measurement."""

TURN_S = 0.01
"""Length of one part of a run, and of a run while several clients use the queue and one of them has a backlog."""


class Batcher(Generic[Row, Result]):
    """The queue of one graph.

    run: takes rows and returns their results in order, or a run that is made in parts; two threads may call it at once.
    It is called in another thread than the loop's. quick_run_s: runs that should take no longer are made in the loop,
    which is blocked meanwhile: where every loop has its own core, a change of threads only costs time.
    client_share: see Shares. All requests come from greenlets of one loop, or all from threads without a loop.
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
        self.report: Callable[[int, int, int], None] | None = None
        """Called after each batch with its rows, its tokens, and its tokens with padding."""
        self._run = run
        self._limits = limits or BatchLimits()
        self._quick_run_s = quick_run_s
        self._queue: FairQueue[Row, Result] = FairQueue(self._limits.max_padded_tokens)
        self._anticipation = Anticipation()
        self._has_leader = False  # a greenlet runs batches
        self._caller_lock = threading.Lock()  # held by a caller without a loop while it uses queue and graph
        self._running: dict[int, tuple[float, Batch[Row, Result]]] = {}  # by id: start, and batch
        self._has_parts = False  # runs are made in parts, which are short whatever the batch
        self._room = Shares(max_queue_tokens, share=client_share, first=max_queue_tokens // 4)
        self._room_lock = threading.Lock()
        self._recent_tokens, self._recent_s = 0.0, 0.0

    @property
    def pending_tokens(self) -> int:
        """Tokens that are admitted and not answered yet."""
        return self._room.held

    @property
    def running_since(self) -> float | None:
        """Monotonic time at which the oldest current run began; None without a run."""
        return min((since for since, _ in list(self._running.values())), default=None)

    @contextmanager
    def admitted(self, num_tokens: int, client: str = "") -> Iterator[None]:
        """Hold room in the queue for a request's tokens; raises OverloadedError at once when there is none.

        An empty queue takes any request; a request larger than the queue would otherwise never be taken.
        """
        with self._room_lock:
            if not self._room.take(client, num_tokens):
                raise self._refusal(num_tokens, client)
        try:
            yield
        finally:
            with self._room_lock:
                self._room.release(client, num_tokens)

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

        Rows that have not run at the end of the cancellation are dropped. Raises DeadlineExceededError,
        ClientLeftError, and InternalError when a run with one of the rows failed.
        """
        ticket: Ticket[Row, Result] = Ticket(rows, lengths, cancellation)
        if not rows:
            return ticket.answer()
        if has_loop():
            self._run_in_loop(ticket)
        else:
            self._run_here(ticket)
        if ticket.error is not None:
            raise InternalError("The model failed on this request.") from ticket.error
        if not ticket.is_finished:
            raise ClientLeftError if ticket.client_has_left else late()
        return ticket.answer()

    def _run_in_loop(self, ticket: Ticket[Row, Result]) -> None:
        """Wait, at most until the deadline, while the leading greenlet runs the rows."""
        now = time.monotonic()
        self._queue.add(ticket, now)
        if not self._has_leader:
            self._has_leader = True
            spawn(self._lead)  # not this greenlet: it waits no longer than its deadline, whatever a run takes
        elif self._may_overtake(ticket, now):
            self._overtake(ticket, now)
        ticket.done.wait(max(0.0, ticket.cancellation.deadline - now))
        self._queue.drop(ticket)

    def _lead(self) -> None:
        """Run batches until the queue is empty."""
        try:
            while batch := self._next_batch():
                self._run_batch(batch)
                sleep(0)  # clients that this batch has answered may send requests for the next one
                if self._quick_run_s:  # the loop has a core of its own
                    self._anticipation.wait(self._queue, len(batch.entries), self._limits.max_rows)
        finally:
            self._has_leader = False

    def _run_here(self, ticket: Ticket[Row, Result]) -> None:
        """Run the rows in this thread, after those of other threads, until all have run or the deadline has passed."""
        left_s = max(0.0, ticket.cancellation.deadline - time.monotonic())
        if not self._caller_lock.acquire(timeout=min(threading.TIMEOUT_MAX, left_s)):
            return
        try:
            self._queue.add(ticket, time.monotonic())
            while batch := self._next_batch():
                self._run_batch(batch)
        finally:
            self._queue.drop(ticket)
            self._caller_lock.release()

    def _may_overtake(self, ticket: Ticket[Row, Result], now: float) -> bool:
        """Return whether a small request may run at once, in parallel with the batch of a client that has a backlog."""
        most, client = TURN_S * self._tokens_per_s, ticket.cancellation.client
        if self._has_parts or len(self._running) != 1 or sum(ticket.lengths) > most:
            return False
        if not self._queue.is_crowded(now, self._limits.max_padded_tokens):
            return False
        ((_, batch),) = self._running.values()
        return batch.num_padded > most / 4 and client not in batch.clients

    def _overtake(self, ticket: Ticket[Row, Result], now: float) -> None:
        """Run the rows of a request that was just queued, in parallel with the current batch."""
        batch = Batch([(ticket, row) for row in ticket.left], ticket.lengths)
        self._queue.take(batch)
        self._running[id(batch)] = now, batch  # at once, so that no second request overtakes
        spawn(self._run_batch, batch, is_timed=False)

    def _next_batch(self) -> Batch[Row, Result] | None:
        """Remove the next batch from the queue."""
        now = time.monotonic()
        while started := self._queue.take_started():
            if started.drop_over(now):
                return started
        window = self._queue.front(WINDOW, now)
        if not window:
            return None
        lengths = [ticket.lengths[row] for ticket, row in window]
        chosen = sorted(next_batch(lengths, self._limits_at(now)))
        batch = Batch([window[index] for index in chosen], [lengths[index] for index in chosen])
        self._queue.take(batch)
        return batch

    def _limits_at(self, now: float) -> BatchLimits:
        """Return the limits of the next batch: lower ones while a client with a backlog is not alone."""
        most = self._limits.max_padded_tokens
        if self._has_parts or not self._queue.is_crowded(now, most):
            return self._limits
        return self._limits._replace(max_padded_tokens=min(most, int(TURN_S * self._tokens_per_s)))

    def _run_batch(self, batch: Batch[Row, Result], *, is_timed: bool = True) -> None:
        """Run a batch, or the next part of its run, and hand out the results.

        is_timed: whether the run measures the speed of the graph; parallel runs are slower.
        """
        started_at = time.monotonic()
        self._running[id(batch)] = started_at, batch
        for ticket, _ in batch.entries:
            ticket.start(started_at)
        is_new, lengths = batch.work is None, batch.costs
        try:
            results = self._results_of(batch) if self._is_quick(batch) else run_in_thread(self._results_of, batch)
            if len(results) != len(batch.entries):
                raise AssertionError(f"{len(batch.entries)} rows gave {len(results)} results")
        except Exception as error:  # concerns the requests in this batch only
            for ticket, _ in batch.entries:
                ticket.fail(error)
            return
        finally:
            del self._running[id(batch)]
            self._queue.charge(batch)
        finished_at = time.monotonic()
        if is_timed:
            self._recent_tokens = 0.95 * self._recent_tokens + sum(batch.costs)
            self._recent_s = 0.95 * self._recent_s + finished_at - started_at
        for (ticket, row), result in zip(batch.entries, results, strict=True):
            if result is not None:
                ticket.put(row, result, finished_at)
        if batch.work is not None:
            batch.keep([index for index, result in enumerate(results) if result is None])
            if batch.entries:
                self._queue.put_back(batch)
        if is_new and self.report is not None:
            self.report(len(lengths), int(sum(lengths)), len(lengths) * int(max(lengths)))

    def _results_of(self, batch: Batch[Row, Result]) -> Sequence[Result | None]:
        """Run a batch, or the next part of its run; return None for rows that are not finished."""
        work = batch.work
        if work is None:
            outcome = self._run([ticket.rows[row] for ticket, row in batch.entries])
            if not isinstance(outcome, PartialRun):
                return outcome
            self._has_parts = True
            work = batch.work = outcome
            batch.numbers = range(len(batch.entries))
        # Short parts would make a small batch, which ends soon, wait more often for the parts of others.
        is_small = batch.num_padded <= self._limits.max_padded_tokens / 16
        costs = work.advance(time.monotonic() + (2 * TURN_S if is_small else TURN_S))
        batch.costs = [costs[number] for number in batch.numbers]
        return [work.result(number) for number in batch.numbers]

    def _is_quick(self, batch: Batch[Row, Result]) -> bool:
        """Return whether a batch should run within `quick_run_s`; always False before the first measurement."""
        if not self._recent_s:
            return False
        return batch.num_padded <= self._quick_run_s * self._tokens_per_s

    def _wait_s(self, num_tokens: float) -> int:
        """Return in how many seconds this many tokens are answered, a whole number of at least 1."""
        return max(1, math.ceil(num_tokens / self._tokens_per_s))

    @property
    def _tokens_per_s(self) -> float:
        """The speed of the last runs."""
        return self._recent_tokens / self._recent_s if self._recent_s else FIRST_GUESS_TOKENS_PER_S
