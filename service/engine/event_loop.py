"""Waiting in whatever kind of thread one is: the loop of greenlets that serves, or an ordinary thread.

A worker's requests are greenlets of one thread. One that waits must switch to the loop, and whatever takes long must
run in another thread, or every other request would wait too. Offline and in tests there is no loop, and waiting blocks.
"""

import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sized
from typing import ParamSpec, Protocol, TypeVar

from gevent import Timeout, get_hub, sleep, spawn
from gevent._hub_local import get_hub_if_exists  # the public get_hub would make one
from gevent.hub import Waiter

from seqserve.errors import RequestError
from seqserve.service.engine.cancellation import Cancellation

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

LARGE_TOKENS = 1_000
"""From this many tokens on, work in Python on a request takes more than a few milliseconds."""

CHARACTERS_A_TOKEN = 4
_NICE = 5
_thread = threading.local()


class Event(Protocol):
    """What `threading.Event` and `LoopEvent` have in common."""

    def set(self) -> None:
        """Wake who waits; may be called from any thread."""

    def clear(self) -> None:
        """Begin anew."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set or the seconds have passed; says whether it is set."""


class LoopEvent:
    """An event that one greenlet of the loop in which it was made waits for, and any thread may set."""

    __slots__ = ("_is_set", "_lock", "_loop", "_thread", "_waiter")

    def __init__(self) -> None:
        self._loop = get_hub().loop
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._waiter: Waiter | None = None
        self._is_set = False

    def set(self) -> None:
        """Wake the greenlet that waits."""
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
        """Begin anew."""
        with self._lock:
            self._is_set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Let other greenlets run until it is set or the seconds have passed; says whether it is set."""
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


def make_event() -> Event:
    """Return an event to wait for in this thread."""
    return LoopEvent() if get_hub_if_exists() is not None else threading.Event()


def go_on_beside(function: Callable[[], None]) -> bool:
    """Let a greenlet of this thread's loop call a function that waits, and go on; False without a loop."""
    if get_hub_if_exists() is None:
        return False
    spawn(function)
    return True


def let_others_go() -> None:
    """Where a loop serves, let those greenlets run that can."""
    if get_hub_if_exists() is not None:
        sleep(0)


def run_in_thread(function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
    """Call a function that takes long and waits for nobody; a loop goes on meanwhile, and before it."""
    hub = get_hub_if_exists()
    if hub is None:
        return function(*args, **kwargs)
    result, error = hub.threadpool.apply(_call_behind, (function, *args), kwargs)
    if error is not None:
        try:
            raise error
        finally:
            del error  # or it and this frame, which knows what the function was called with, would keep each other
    found: Result = result
    return found


def _call_behind(
    function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> tuple[Result | None, Exception | None]:
    """Call a function in a thread of the pool; what it raises is no accident, which the pool would write to the log."""
    if not hasattr(_thread, "gives_way"):
        _give_way()
        _thread.gives_way = True
    try:
        return function(*args, **kwargs), None
    except RequestError as error:
        return None, error.with_traceback(None)  # what it refers to is freed here, not in the loop
    except Exception as error:
        return None, error


def _give_way() -> None:
    """Let the loop go before this thread, for good, where they share a core.

    A run of a graph would else keep thousands of clients waiting for its turn of the core, who want microseconds.
    """
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own, but that of its process
        thread = threading.get_native_id()
        with contextlib.suppress(OSError):  # a sandbox may not allow it, and it is not needed
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICE)


def in_turn_if_long(
    texts: str | Iterable[Sized], function: Callable[[], Result], *, cancellation: Cancellation
) -> Result:
    """Call a function whose work is in proportion to the length of a text, or of texts, in characters."""
    length = len(texts) if isinstance(texts, str) else sum(map(len, texts))
    return in_turn_if_large(length // CHARACTERS_A_TOKEN, function, cancellation=cancellation)


def in_turn_if_large(num_tokens: int, function: Callable[[], Result], *, cancellation: Cancellation) -> Result:
    """Call a function whose work in Python is in proportion to this many tokens; large ones see `in_turn`."""
    return in_turn(function, cancellation=cancellation) if num_tokens >= LARGE_TOKENS else function()


class TurnLock:
    """A lock for which clients take turns: one with many waiting calls delays another by one of them."""

    def __init__(self) -> None:
        self._is_held = False
        self._waiting: dict[str, deque[LoopEvent]] = {}

    def acquire(self, client: str) -> None:
        """Wait for the lock; greenlets of one loop only."""
        if not self._is_held:
            self._is_held = True
            return
        event = LoopEvent()
        self._waiting.setdefault(client, deque()).append(event)
        event.wait()

    def release(self) -> None:
        """Hand the lock to the client whose turn it is."""
        if not self._waiting:
            self._is_held = False
            return
        client = next(iter(self._waiting))
        events = self._waiting.pop(client)
        event = events.popleft()
        if events:
            self._waiting[client] = events  # at the end of the line
        event.set()


_python_work = threading.local()


def in_turn(function: Callable[[], Result], *, cancellation: Cancellation) -> Result:
    """Call a function that works in Python for long beside the loop, one at a time, in its client's turn.

    Threads that all work in Python only wait for each other's interpreter lock, and the loop for each of them. Raises
    DeadlineExceededError or ClientLeftError when the turn comes too late.
    """
    if get_hub_if_exists() is None:
        return function()
    lock = getattr(_python_work, "lock", None)
    if lock is None:
        lock = _python_work.lock = TurnLock()
    lock.acquire(cancellation.client)
    try:
        cancellation.check()
        return run_in_thread(function)
    finally:
        lock.release()
