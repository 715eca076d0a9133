"""Fixtures every test has: a test that leaves a thread or a child process behind fails."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

GRACE_S = 5.0
"""How long a thread or process that is on its way out may take, in seconds."""

KEPT_THREADS = frozenset({"TMonitor"})
"""Threads libraries keep for the life of the interpreter, by class name: tqdm's monitor."""

KEPT_PROCESSES = ("multiprocessing.resource_tracker",)
"""Processes the standard library keeps for the life of the interpreter, by a part of their command line."""


def children() -> dict[int, str]:
    """Command lines of this process's children by id, also of those that ended unreaped; empty where /proc is not."""
    found = {}
    for listing in Path("/proc/self/task").glob("*/children"):
        try:
            ids = listing.read_text().split()
        except OSError:  # The thread that this listing belongs to ended meanwhile.
            continue
        for process_id in ids:
            try:
                command = (
                    Path("/proc", process_id, "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
            except OSError:
                continue
            if not any(kept in command for kept in KEPT_PROCESSES):
                found[int(process_id)] = command.strip() or "(ended, but nobody waited for it)"
    return found


def threads() -> set[threading.Thread]:
    """Python threads that live now, without those that libraries keep."""
    return {thread for thread in threading.enumerate() if type(thread).__name__ not in KEPT_THREADS}


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test after which a thread or a child process lives on that did not live before it."""
    threads_before, children_before = threads(), children()
    yield
    limit = time.monotonic() + GRACE_S
    while True:
        left = [f"thread {thread.name!r}" for thread in threads() - threads_before]
        left += [
            f"process {number}: {command}" for number, command in children().items() if number not in children_before
        ]
        if not left:
            return
        if time.monotonic() > limit:
            pytest.fail("the test left behind: " + "; ".join(left))
        time.sleep(0.01)
