"""The batcher in a loop: own answers, shared runs, failures, deadlines, admission."""

import threading
import time
from collections.abc import Callable

import gevent
import pytest

from seqserve.service.engine.batching.batcher import WINDOW, Batcher
from seqserve.service.engine.batching.plan import BatchLimits
from seqserve.service.engine.batching.ticket import Ticket
from seqserve.service.engine.cancellation import Cancellation
from seqserve.service.errors import DeadlineExceededError, InternalError, OverloadedError
from tests.service.engine.test_event_loop import in_the_loop, wait_until

FAR = 60.0
LIMIT = 1_000_000


def doubled(rows: list[int]) -> list[int]:
    return [2 * row for row in rows]


def make(run: Callable[[list[int]], list[int]] = doubled, **given: object) -> Batcher[int, int]:
    return Batcher(run, **{"max_queue_tokens": LIMIT, **given})  # type: ignore[arg-type]


def ask(
    batcher: Batcher[int, int], rows: list[int], *, lengths: list[int] | None = None, within_s: float = FAR
) -> list[int]:
    answer = batcher.submit(rows, lengths or [1] * len(rows), cancellation=Cancellation(time.monotonic() + within_s))
    return answer.results


class Gate:
    """A run that waits until it is let through, and remembers its batches."""

    def __init__(self) -> None:
        self.entered, self.open = threading.Event(), threading.Event()
        self.batches: list[list[int]] = []

    def run(self, rows: list[int]) -> list[int]:
        self.batches.append(rows)
        self.entered.set()
        assert self.open.wait(FAR)
        return doubled(rows)

    def pass_when_queued(self, batcher: Batcher[int, int], num_rows: int) -> None:
        """Open once this many rows wait in the queue."""
        wait_until(lambda: len(batcher._queue) >= num_rows)
        self.open.set()


@in_the_loop
def test_answers_keep_the_order_of_rows() -> None:
    assert ask(make(limits=BatchLimits(max_rows=2)), [5, 1, 9, 7], lengths=[3, 50, 1, 20]) == [10, 2, 18, 14]


def test_no_rows_need_no_run() -> None:
    def never(rows: list[int]) -> list[int]:
        raise AssertionError("ran without rows")

    assert ask(make(never), []) == []


@in_the_loop
def test_each_of_32_clients_gets_its_own_answers() -> None:
    running = threading.Semaphore(1)

    def exclusive(rows: list[int]) -> list[int]:
        assert running.acquire(blocking=False), "two runs at once"
        try:
            return doubled(rows)
        finally:
            running.release()

    batcher = make(exclusive)

    def client(number: int) -> bool:
        rows = [1000 * number + row for row in range(number % 7 + 1)]
        return all(ask(batcher, rows, lengths=[row % 40 + 1 for row in rows]) == doubled(rows) for _ in range(50))

    clients = [gevent.spawn(client, number) for number in range(32)]
    assert all(each.get() for each in clients)


@in_the_loop
def test_rows_that_wait_share_the_next_run() -> None:
    gate = Gate()
    batcher = make(gate.run)
    first = gevent.spawn(ask, batcher, [0])
    wait_until(gate.entered.is_set)
    others = [gevent.spawn(ask, batcher, [number]) for number in (1, 2, 3)]
    gate.pass_when_queued(batcher, 3)
    assert [done.get() for done in (first, *others)] == [[0], [2], [4], [6]]
    assert [sorted(batch) for batch in gate.batches] == [[0], [1, 2, 3]]


@in_the_loop
def test_a_sentence_does_not_wait_for_all_of_a_book() -> None:
    gate = Gate()
    batcher = make(gate.run, limits=BatchLimits(max_rows=2, max_padded_tokens=100))
    book = gevent.spawn(ask, batcher, list(range(100, 120)), lengths=[10] * 20)
    wait_until(gate.entered.is_set)
    sentence = gevent.spawn(ask, batcher, [7], lengths=[10])
    gate.pass_when_queued(batcher, 19)
    assert sentence.get() == [14]
    assert not book.ready()
    assert book.get() == doubled(list(range(100, 120)))
    assert next(number for number, batch in enumerate(gate.batches) if 7 in batch) <= 2


@in_the_loop
def test_a_failing_run_fails_all_its_requests_and_no_others() -> None:
    entered, release = threading.Event(), threading.Event()

    def run(rows: list[int]) -> list[int]:
        if rows == [0]:
            entered.set()
            assert release.wait(FAR)
            return [0]
        if 13 in rows:
            raise RuntimeError("no such row")
        return doubled(rows)

    batcher = make(run)
    first = gevent.spawn(ask, batcher, [0])
    wait_until(entered.is_set)
    failing = [gevent.spawn(ask, batcher, [number]) for number in (13, 14)]
    wait_until(lambda: len(batcher._queue) == 2)
    release.set()
    assert first.get() == [0]
    for done in failing:
        with pytest.raises(InternalError) as caught:
            done.get()
        assert str(caught.value.__cause__) == "no such row"
    assert ask(batcher, [1, 2]) == [2, 4]


@in_the_loop
def test_a_run_that_gives_too_few_results_is_an_error() -> None:
    with pytest.raises(InternalError):
        ask(make(lambda rows: []), [1])


@in_the_loop
def test_expired_rows_are_dropped_before_they_cost() -> None:
    gate = Gate()
    batcher = make(gate.run)
    first = gevent.spawn(ask, batcher, [0])
    wait_until(gate.entered.is_set)
    with pytest.raises(DeadlineExceededError):
        ask(batcher, [1], within_s=0.01)
    assert not len(batcher._queue)
    gate.open.set()
    assert first.get() == [0]
    assert ask(batcher, [2]) == [4]
    assert gate.batches == [[0], [2]]


@in_the_loop
def test_a_request_whose_deadline_passes_during_its_run_holds_up_no_other() -> None:
    gate = Gate()
    batcher = make(gate.run, limits=BatchLimits(max_rows=1))
    late = gevent.spawn(ask, batcher, [0, 1], within_s=0.05)
    wait_until(gate.entered.is_set)
    other = gevent.spawn(ask, batcher, [5])
    with pytest.raises(DeadlineExceededError):
        late.get()
    gate.open.set()
    assert other.get() == [10]
    assert gate.batches == [[0], [5]]


@in_the_loop
def test_a_long_queue_is_not_looked_through_for_every_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    looked, batches = [0], [0]
    is_over = Ticket.is_over

    def counted(ticket: Ticket[int, int], now: float) -> bool:
        looked[0] += 1
        return is_over(ticket, now)

    def run(rows: list[int]) -> list[int]:
        batches[0] += 1
        return doubled(rows)

    monkeypatch.setattr(Ticket, "is_over", counted)
    rows = list(range(20 * WINDOW))
    assert ask(make(run), rows) == doubled(rows)
    assert looked[0] <= (batches[0] + 1) * (WINDOW + 2)


def test_a_full_queue_refuses_at_once_and_says_when_to_come_back() -> None:
    batcher = make(max_queue_tokens=100)
    with batcher.admitted(90):
        with pytest.raises(OverloadedError) as caught, batcher.admitted(11):
            pass
        assert caught.value.retry_after_s == 1
        with batcher.admitted(10):
            assert batcher.pending_tokens == 100
    assert batcher.pending_tokens == 0


def test_an_empty_queue_takes_a_request_that_is_larger_than_it() -> None:
    batcher = make(max_queue_tokens=100)
    with batcher.admitted(101), pytest.raises(OverloadedError), batcher.admitted(1):
        pass
    assert batcher.pending_tokens == 0


@in_the_loop
def test_retry_after_follows_from_the_queue_and_the_measured_speed() -> None:
    def slow(rows: list[int]) -> list[int]:
        time.sleep(0.02)
        return doubled(rows)

    batcher = make(slow, max_queue_tokens=10_000)
    ask(batcher, [1], lengths=[20])  # at most 1000 tokens a second
    with batcher.admitted(9_000), pytest.raises(OverloadedError) as caught, batcher.admitted(2_000):
        pass
    assert caught.value.retry_after_s is not None
    assert caught.value.retry_after_s >= 9


@in_the_loop
def test_a_failed_request_gives_its_room_back() -> None:
    batcher = make(lambda rows: [])
    with pytest.raises(InternalError), batcher.admitted(50):
        ask(batcher, [1])
    assert batcher.pending_tokens == 0


@in_the_loop
def test_timing_says_how_long_a_row_waited() -> None:
    gate = Gate()
    batcher = make(gate.run)
    first = gevent.spawn(ask, batcher, [0])
    wait_until(gate.entered.is_set)
    second = gevent.spawn(batcher.submit, [1], [1], cancellation=Cancellation(time.monotonic() + FAR))
    gate.pass_when_queued(batcher, 1)
    first.get()
    assert second.get().queue_s > 0
    assert second.get().compute_s >= 0
