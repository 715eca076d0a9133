"""The batcher without a loop: every caller runs its own rows, one caller at a time."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from seqserve.service.engine.batching.plan import BatchLimits
from seqserve.service.errors import DeadlineExceededError, InternalError
from tests.service.engine.batching.test_batcher import FAR, Gate, ask, doubled, make


def test_rows_run_in_the_thread_of_the_caller() -> None:
    threads: set[int] = set()

    def run(rows: list[int]) -> list[int]:
        threads.add(threading.get_ident())
        return doubled(rows)

    assert ask(make(run, limits=BatchLimits(max_rows=2)), [5, 1, 9]) == [10, 2, 18]
    assert threads == {threading.get_ident()}


def test_each_of_32_threads_gets_its_own_answers() -> None:
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

    with ThreadPoolExecutor(32) as pool:
        assert all(pool.map(client, range(32)))


def test_a_caller_waits_for_another_no_longer_than_its_deadline() -> None:
    gate = Gate()
    batcher = make(gate.run)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, batcher, [0])
        assert gate.entered.wait(FAR)
        with pytest.raises(DeadlineExceededError):
            ask(batcher, [1], within_s=0.01)
        gate.open.set()
        assert first.result() == [0]
    assert ask(batcher, [2]) == [4]
    assert gate.batches == [[0], [2]]


def test_a_deadline_that_has_passed_costs_no_run() -> None:
    gate = Gate()
    batcher = make(gate.run)
    with pytest.raises(DeadlineExceededError):
        ask(batcher, [1], within_s=-1.0)
    gate.open.set()
    assert ask(batcher, [2]) == [4]
    assert gate.batches == [[2]]


def test_a_failed_run_leaves_nothing_to_the_next_caller() -> None:
    seen: list[list[int]] = []

    def run(rows: list[int]) -> list[int]:
        seen.append(rows)
        if 13 in rows:
            raise RuntimeError("no such row")
        return doubled(rows)

    batcher = make(run, limits=BatchLimits(max_rows=1))
    with pytest.raises(InternalError):
        ask(batcher, [13, 14])
    assert ask(batcher, [1]) == [2]
    assert seen == [[13], [1]]
