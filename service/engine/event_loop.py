"""Wait for events and call long functions, in a thread with an event loop or without one.

The requests of a worker are greenlets of one thread. A request that waits must switch to the loop, and long work must
run in another thread; otherwise all other requests wait too. Without a loop the same calls block.
"""

import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from gevent import Timeout, get_hub
from gevent._hub_local import get_hub_if_exists  # the public get_hub would make one
from gevent.hub import Waiter

from seqserve.errors import RequestError
from seqserve.service.engine.cancellation import Cancellation

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

LARGE_TOKENS = 1_000
"""From this many tokens on, a request's work in Python takes more than a few milliseconds."""

CHARACTERS_A_TOKEN = 4
"""A guess, for texts that are not tokenised yet."""

_NICE = 5
"""Difference between the priorities of the loop and of a thread of the pool, as `nice` counts it."""

_thread = threading.local()


class LoopEvent:
    """An event that any thread may set. One greenlet waits for it, of the loop in which the event was made."""

    __slots__ = ("_is_set", "_lock", "_loop", "_thread", "_waiter")

    def __init__(self) -> None:
        self._loop = get_hub().loop
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._waiter: Waiter | None = None
        self._is_set = False

    def set(self) -> None:
        """Set the event and wake the greenlet that waits; callable from any thread."""
        with self._lock:
            self._is_set = True
            waiter, self._waiter = self._waiter, None
        if waiter is None:
            return
        if threading.get_ident() == self._thread:
            self._loop.run_callback(waiter.switch, None)
        else:
            self._loop.run_callback_threadsafe(waiter.switch, None)

    def clear(self) -> None:
        """Reset the event."""
        with self._lock:
            self._is_set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the event is set, at most `timeout` seconds; return whether it is set. Other greenlets run."""
        with self._lock:
            if self._is_set:
                return True
            waiter = self._waiter = Waiter()
        with Timeout._start_new_or_dummy(timeout) as timer:  # no timer where there is no limit
            try:
                waiter.get()
            except Timeout as reached:
                if reached is not timer:
                    raise
        with self._lock:
            self._waiter = None
            return self._is_set


def has_loop() -> bool:
    """Return whether this thread has a loop, whose greenlets must not block it."""
    return get_hub_if_exists() is not None


def make_event() -> LoopEvent | threading.Event:
    """Return an event that this thread can wait for."""
    return LoopEvent() if has_loop() else threading.Event()


def run_in_thread(function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
    """Call a long function in another thread, so that the loop keeps running; without a loop, call it here."""
    hub = get_hub_if_exists()
    if hub is None:
        return function(*args, **kwargs)
    result, error = hub.threadpool.apply(_call_in_pool, (function, *args), kwargs)
    if error is not None:
        try:
            raise error
        finally:
            del error  # it refers to this frame: the cycle would keep the arguments until a garbage collection
    found: Result = result
    return found


def _call_in_pool(
    function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> tuple[Result | None, Exception | None]:
    """Call a function in a thread of the pool; return its error, because the pool logs errors that are raised."""
    if not hasattr(_thread, "has_low_priority"):
        _lower_priority()
        _thread.has_low_priority = True
    try:
        return function(*args, **kwargs), None
    except RequestError as error:
        return None, error.with_traceback(None)  # the objects of its frames are freed here, not in the loop
    except Exception as error:
        return None, error


def _lower_priority() -> None:
    """Give this thread a lower priority than the loop.

    Where they share a core, the loop and all its clients would otherwise wait for a run of a graph.
    """
    if sys.platform == "linux":  # on other systems a thread has the priority of its process
        thread = threading.get_native_id()
        with contextlib.suppress(OSError):  # a sandbox may forbid it; the service works without
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICE)


def in_turn_if_large(num_tokens: int, function: Callable[[], Result], *, cancellation: Cancellation) -> Result:
    """Call a function whose work in Python grows with `num_tokens`: directly if they are few, else with `in_turn`."""
    return in_turn(function, cancellation=cancellation) if num_tokens >= LARGE_TOKENS else function()


class TurnLock:
    """A lock that clients get in turns: many waiting calls of one client delay another client by one call."""

    def __init__(self) -> None:
        self._is_held = False
        self._waiting: dict[str, deque[LoopEvent]] = {}

    def acquire(self, client: str) -> None:
        """Wait for the lock; only for greenlets of one loop."""
        if not self._is_held:
            self._is_held = True
            return
        event = LoopEvent()
        self._waiting.setdefault(client, deque()).append(event)
        event.wait()

    def release(self) -> None:
        """Hand the lock to the next client."""
        if not self._waiting:
            self._is_held = False
            return
        client = next(iter(self._waiting))
        events = self._waiting.pop(client)
        event = events.popleft()
        if events:
            self._waiting[client] = events  # last again
        event.set()


def in_turn(function: Callable[[], Result], *, cancellation: Cancellation) -> Result:
    """Call a function with long work in Python in another thread: one function at a time, clients in turns.

    Several such threads would only wait for each other's interpreter lock, and the loop for each of them. Raises
    DeadlineExceededError or ClientLeftError when the turn comes too late.
    """
    if not has_loop():
        return function()
    lock: TurnLock | None = getattr(_thread, "turn_lock", None)
    if lock is None:
        lock = _thread.turn_lock = TurnLock()
    lock.acquire(cancellation.client)
    try:
        cancellation.check()
        return run_in_thread(function)
    finally:
        lock.release()
