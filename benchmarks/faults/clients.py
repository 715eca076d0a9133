"""Honest clients in threads, each of which sends its next request when its last one has been answered."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType

from benchmarks.faults.connection import Asked, Connection, Judge, Outcome
from benchmarks.faults.known_answers import KnownAnswer

_PAUSE_S = 0.01  # before the next try when nobody listens or the server is full


class Clients:
    """Clients that ask from `with` to its end, each answer judged and told to `tell`.

    Even ones keep their connection as long as the server does; odd ones open one for each request.
    """

    def __init__(
        self,
        port: int,
        known: Sequence[KnownAnswer],
        size: int,
        *,
        judge: Judge = KnownAnswer.is_right,
        tell: Callable[[Asked], object] | None = None,
    ) -> None:
        self.asked: list[Asked] = []
        self.stop = threading.Event()
        self._tell = tell or self.asked.append  # append is one step: threads share the list
        self._connections = [Connection(port, judge, reuse=number % 2 == 0) for number in range(size)]
        self._threads = [
            threading.Thread(target=self._run, args=(connection, _turned(known, number * len(known) // size)))
            for number, connection in enumerate(self._connections)
        ]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join()

    def count(self) -> int:
        """How many requests have ended."""
        return len(self.asked)

    def _run(self, connection: Connection, turned: Iterable[KnownAnswer]) -> None:
        try:
            for known in turned:
                if self.stop.is_set():
                    return
                asked = connection.ask(known)
                self._tell(asked)
                if asked.outcome in (Outcome.NOT_ACCEPTED, Outcome.REFUSED):
                    self.stop.wait(_PAUSE_S)
        finally:
            connection.close()


def _turned(known: Sequence[KnownAnswer], start: int) -> Iterable[KnownAnswer]:
    return itertools.cycle([*known[start:], *known[:start]])


def tally(asked: Iterable[Asked]) -> Counter[Outcome]:
    """How many requests had each outcome."""
    return Counter(each.outcome for each in asked)


def reasons(asked: Iterable[Asked]) -> dict[str, int]:
    """How often what happened, of requests that were not answered right."""
    found = Counter(
        f"{each.outcome}: {each.detail}" if each.detail else str(each.outcome)
        for each in asked
        if each.outcome is not Outcome.RIGHT
    )
    return dict(sorted(found.items()))


def wait_until(holds: Callable[[], bool], limit_s: float, *, poll_s: float = 0.01) -> bool:
    """Wait until something holds; False when it does not within the limit."""
    limit = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > limit:
            return False
        time.sleep(poll_s)
    return True
