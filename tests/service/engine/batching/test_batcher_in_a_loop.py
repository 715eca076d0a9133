"""The batcher in a loop: in which thread runs are made, and until when a request waits."""

import threading
import time
from types import SimpleNamespace

import gevent
import pytest

from seqserve.service.engine.batching import batcher as batcher_module
from seqserve.service.engine.batching.batcher import Batcher
from seqserve.service.engine.cancellation import Cancellation, ClientLeftError
from seqserve.service.errors import DeadlineExceededError, InternalError
from tests.service.engine.test_event_loop import in_a_loop

FAR = 60.0


def submit(batcher: Batcher, rows: list[int], within_s: float = FAR, **given: object) -> list[int]:
    cancellation = Cancellation(time.monotonic() + within_s, **given)  # type: ignore[arg-type]
    return batcher.submit(rows, [1] * len(rows), cancellation=cancellation).results


def test_greenlets_share_runs_in_another_thread() -> None:
    sizes, threads = [], set()

    def run(rows: list[int]) -> list[int]:
        sizes.append(len(rows))
        threads.add(threading.get_ident())
        return [2 * row for row in rows]

    def work() -> tuple[list[list[int]], int]:
        batcher: Batcher[int, int] = Batcher(run, max_queue_tokens=1000)
        greenlets = [gevent.spawn(submit, batcher, [number, -number]) for number in range(20)]
        gevent.joinall(greenlets)
        return [greenlet.get() for greenlet in greenlets], threading.get_ident()

    results, loop = in_a_loop(work)
    assert results == [[2 * number, -2 * number] for number in range(20)]
    assert sum(sizes) == 40
    assert max(sizes) > 2
    assert loop not in threads


def test_a_run_that_should_be_quick_is_made_in_the_loop_and_a_long_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []
    clock = [0.0]
    monkeypatch.setattr(batcher_module, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def run(rows: list[int]) -> list[int]:
        threads.append(threading.get_ident())
        clock[0] += 0.001 * len(rows)
        return rows

    def work() -> int:
        batcher: Batcher[int, int] = Batcher(run, max_queue_tokens=1000, quick_run_s=0.005)
        for rows in ([1], [2], [*range(5)], [*range(6)]):
            assert submit(batcher, rows) == rows
        return threading.get_ident()

    loop = in_a_loop(work)
    assert [thread == loop for thread in threads] == [False, True, True, False]  # the first has nothing to go by


def test_who_was_answered_goes_on_before_the_next_quick_run() -> None:
    events = []

    def run(rows: list[int]) -> list[int]:
        events.append(f"run of {len(rows)}")
        return rows

    def ask(batcher: Batcher, rows: list[int]) -> None:
        submit(batcher, rows)
        events.append(f"answered {len(rows)}")

    def work() -> None:
        batcher: Batcher[int, int] = Batcher(run, max_queue_tokens=1000, quick_run_s=FAR)
        submit(batcher, [0])
        gevent.joinall([gevent.spawn(ask, batcher, [0] * size) for size in (1, 20)])

    in_a_loop(work)
    assert events == ["run of 1", "run of 16", "answered 1", "run of 5", "answered 20"]


def test_a_request_does_not_wait_beyond_its_deadline_for_its_own_run() -> None:
    release = threading.Event()

    def run(rows: list[int]) -> list[int]:
        assert release.wait(FAR)
        return rows

    def work() -> list[int]:
        batcher: Batcher[int, int] = Batcher(run, max_queue_tokens=1000)
        with pytest.raises(DeadlineExceededError):
            submit(batcher, [1], within_s=0.05)
        assert batcher.running_since is not None
        later = gevent.spawn(submit, batcher, [2])
        gevent.sleep(0)
        release.set()
        return later.get()

    assert in_a_loop(work) == [2]


def test_a_failing_run_fails_its_own_requests_only() -> None:
    def run(rows: list[int]) -> list[int]:
        if 0 in rows:
            raise RuntimeError("the graph melted")
        return rows

    def work() -> list[int]:
        batcher: Batcher[int, int] = Batcher(run, max_queue_tokens=1000)
        with pytest.raises(InternalError):
            submit(batcher, [0])
        return submit(batcher, [1])

    assert in_a_loop(work) == [1]


def test_rows_of_a_client_that_left_do_not_run() -> None:
    entered, release = threading.Event(), threading.Event()
    ran: list[int] = []

    def run(rows: list[int]) -> list[int]:
        ran.extend(rows)
        entered.set()
        assert release.wait(FAR)
        return rows

    def work() -> None:
        batcher: Batcher[int, int] = Batcher(run, max_queue_tokens=1000)
        first = gevent.spawn(submit, batcher, [1])
        while not entered.is_set():
            gevent.sleep(0.001)
        left = gevent.spawn(submit, batcher, [2], has_left=lambda: True)
        stays = gevent.spawn(submit, batcher, [3], has_left=lambda: False)
        gevent.sleep(0.1)  # a client is looked at when it has waited for a moment
        release.set()
        assert (first.get(), stays.get()) == ([1], [3])
        with pytest.raises(ClientLeftError):
            left.get()

    in_a_loop(work)
    assert sorted(ran) == [1, 3]


def test_a_client_is_not_looked_at_before_its_time() -> None:
    def work() -> list[int]:
        batcher: Batcher[int, int] = Batcher(lambda rows: rows, max_queue_tokens=1000)
        return submit(batcher, [1], has_left=lambda: True, looks_at=time.monotonic() + FAR)

    assert in_a_loop(work) == [1]
