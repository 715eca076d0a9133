"""In which order requests are served: that in which an equal share of the graph for each would have finished them.

Weighted fair queueing of whole requests (Demers, Keshav and Shenker 1989; for jobs, the fair sojourn protocol of
Friedman and Henderson 2003). Equal shares would be as fair, but of a long queue most requests would be half done for
most of the time: served one after the other in the order of their ends, few end later and most much sooner.
"""

from heapq import heapify, heappop, heappush
from typing import NamedTuple


class Turn(NamedTuple):
    """A request's place in the order, and when equal shares would finish it; both in virtual time, in tokens."""

    place: float
    end: float


class FairClock:
    """Virtual time: tokens that each request would have been given since the start.

    Requests of up to `least_tokens` are as good as equal, and are served in the order in which they come.
    """

    def __init__(self, least_tokens: int) -> None:
        self._least_tokens = least_tokens
        self._now = 0.0
        self._ends: list[float] = []  # a heap: of requests that equal shares would not have finished

    def admit(self, num_tokens: int) -> Turn:
        """Return the turn of a request that comes now."""
        end = self._now + num_tokens
        heappush(self._ends, end)
        return Turn(self._now + max(num_tokens, self._least_tokens), end)

    def advance(self, num_tokens: int) -> None:
        """Note that so many tokens, of whatever requests, are being run."""
        left = float(num_tokens)
        while self._ends:
            until_next = (self._ends[0] - self._now) * len(self._ends)
            if until_next > left:
                self._now += left / len(self._ends)
                return
            left -= until_next
            self._now = heappop(self._ends)

    def forget(self, turn: Turn) -> None:
        """Take out a request whose rest will not be run."""
        if turn.end in self._ends:
            self._ends.remove(turn.end)
            heapify(self._ends)
