"""When the request of this thread arrived, and whether all of it has been read.

The worker (which sees connections) and the app (which sees requests) run in the same thread but know nothing of each
other; this is the little they share, so that time spent waiting for a thread counts as queueing.
"""

import threading
import time


class Arrival:
    """One request's way in; `at` is monotonic, in seconds."""

    __slots__ = ("at", "is_read", "reading_since")

    def __init__(self, at: float) -> None:
        self.at = at
        self.reading_since = time.monotonic()
        self.is_read = False


_here = threading.local()


def begin(arrival: Arrival) -> None:
    """Set the arrival of the request that this thread is about to serve."""
    _here.arrival = arrival


def take() -> Arrival:
    """Return this thread's arrival, once; a request that nobody announced has arrived now."""
    arrival: Arrival | None = getattr(_here, "arrival", None)
    _here.arrival = None
    return arrival or Arrival(time.monotonic())
