"""Waiting in a loop of greenlets and in ordinary threads."""

import contextlib
import functools
import gc
import math
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import gevent
import pytest
from gevent.hub import get_hub

from seqserve.service.engine.cancellation import Cancellation, ClientLeftError
from seqserve.service.engine.event_loop import (
    LARGE_TOKENS,
    LoopEvent,
    in_turn,
    in_turn_if_large,
    make_event,
    run_in_thread,
)

Result = TypeVar("Result")
FAR = Cancellation(math.inf)


def in_a_loop(function: Callable[[], Result]) -> Result:
    """Call a function in a thread that has a loop, which ends with it."""

    def call() -> Result:
        hub = get_hub()
        try:
            return gevent.spawn(function).get()
        finally:
            hub.destroy(destroy_loop=True)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


def in_the_loop(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test in a greenlet of a loop of its own."""

    @functools.wraps(test)
    def run(*args: object, **kwargs: object) -> None:
        in_a_loop(lambda: test(*args, **kwargs))

    return run


def wait_until(holds: Callable[[], bool]) -> None:
    """Let other greenlets run until a condition holds."""
    limit = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < limit, "the condition never came to hold"
        gevent.sleep(0.001)


def test_a_thread_without_a_loop_gets_an_ordinary_event() -> None:
    assert isinstance(make_event(), threading.Event)


def test_an_event_set_by_a_greenlet_of_the_loop() -> None:
    def wait() -> bool:
        event = make_event()
        assert isinstance(event, LoopEvent)
        gevent.spawn(event.set)
        return event.wait(60)

    assert in_a_loop(wait)


def test_an_event_set_before_the_wait() -> None:
    def wait() -> bool:
        event = LoopEvent()
        event.set()
        return event.wait(60) and event.wait()

    assert in_a_loop(wait)


@pytest.mark.parametrize("delay_s", [0.0, 0.001, 0.02])
def test_events_set_by_other_threads(delay_s: float) -> None:
    def wait() -> bool:
        for _ in range(50):
            event = LoopEvent()

            def set_later(event: LoopEvent = event) -> None:
                time.sleep(delay_s)
                event.set()

            setter = threading.Thread(target=set_later)
            setter.start()
            if not event.wait(60):
                return False
            setter.join()
        return True

    assert in_a_loop(wait)


def test_a_wait_ends_with_its_time_and_others_run_meanwhile() -> None:
    def wait() -> tuple[bool, list[str], bool]:
        event, ran = LoopEvent(), []
        gevent.spawn(ran.append, "other")
        outcome = event.wait(0.01)
        event.set()
        again = event.wait(60)
        return outcome, ran, again

    assert in_a_loop(wait) == (False, ["other"], True)


def test_a_cleared_event_is_waited_for_again() -> None:
    def wait() -> tuple[bool, bool]:
        event = LoopEvent()
        event.set()
        event.clear()
        before = event.wait(0.01)
        gevent.spawn_later(0.01, event.set)
        return before, event.wait(60)

    assert in_a_loop(wait) == (False, True)


def test_long_work_runs_in_another_thread_while_the_loop_goes_on() -> None:
    def work() -> tuple[int, int, bool]:
        went_on = threading.Event()
        gevent.spawn(went_on.set)
        ident, seen = run_in_thread(lambda: (threading.get_ident(), went_on.wait(60)))
        return threading.get_ident(), ident, seen

    loop, worker, went_on = in_a_loop(work)
    assert loop != worker
    assert went_on


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has the priority of its process")
def test_long_work_gives_way_to_the_loop() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def work() -> tuple[int, list[int], int]:
        return niceness(), [run_in_thread(niceness) for _ in range(3)], niceness()

    before, beside_it, after = in_a_loop(work)
    assert after == before
    assert set(beside_it) == {min(19, before + 5)}


def test_an_error_of_long_work_is_raised() -> None:
    def work() -> None:
        run_in_thread(lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        in_a_loop(work)


def test_only_large_work_leaves_the_loop() -> None:
    def work() -> tuple[int, int, int]:
        ident = threading.get_ident
        return ident(), *(in_turn_if_large(size, ident, cancellation=FAR) for size in (LARGE_TOKENS - 1, LARGE_TOKENS))

    loop, small, large = in_a_loop(work)
    assert small == loop != large


def test_clients_take_turns_with_work_in_python() -> None:
    """One at a time, and a client with three pieces of work delays another's by one of them."""
    done, at_once, most_at_once = [], 0, 0

    def work(name: str) -> None:
        nonlocal at_once, most_at_once
        at_once += 1
        most_at_once = max(most_at_once, at_once)
        time.sleep(0.01)
        at_once -= 1
        done.append(name)

    def inside() -> None:
        asked = [("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1")]
        gevent.joinall(
            [
                gevent.spawn(in_turn, lambda name=name: work(name), cancellation=Cancellation(math.inf, client=client))
                for client, name in asked
            ]
        )

    in_a_loop(inside)
    assert done == ["a1", "a2", "b1", "a3"]
    assert most_at_once == 1


def test_work_whose_client_has_left_is_not_begun() -> None:
    def inside() -> None:
        gone = Cancellation(math.inf, has_left=lambda: True)
        with pytest.raises(ClientLeftError):
            in_turn(pytest.fail, cancellation=gone)
        assert in_turn(lambda: "the next", cancellation=FAR) == "the next"

    in_a_loop(inside)


def test_without_a_loop_work_is_done_at_once() -> None:
    assert run_in_thread(threading.get_ident) == threading.get_ident()


def test_what_a_failed_function_had_on_hand_goes_with_its_error() -> None:
    class Body:
        """What a client has sent."""

    def refuse(body: Body) -> None:
        raise ValueError(body)

    def is_kept() -> bool:
        body = Body()
        alive = weakref.ref(body)
        with contextlib.suppress(ValueError):
            run_in_thread(refuse, body)
        del body
        until = time.monotonic() + 2
        while alive() is not None and time.monotonic() < until:
            gevent.sleep(0.001)  # the other thread lets go of it a moment later
        return alive() is not None

    gc.disable()  # a cycle would be kept until the next collection, which a worker seldom makes
    try:
        assert not in_a_loop(is_kept)
    finally:
        gc.enable()
