"""Divide room of one kind (queued tokens, requests, bytes, connections, samples) among clients.

The room that a client holds may be at most a fixed multiple of the room that is free. One client alone gets `share` of
the room, two greedy clients get less each, and some room is always left (dynamic thresholds: Choudhury and Hahne,
IEEE/ACM Transactions on Networking 6(2), 1998).
"""

import math
from collections.abc import Hashable

_LARGE = 16
_KEPT = 8
"""Amounts above a 16th of the room leave an 8th of it free, so that small ones find room."""


class Shares:
    """The part of `limit` that each client holds; for one thread at a time.

    share: the part that one client alone may hold, above 0 and at most 1. first: the first amount of a client counts
    as at most this when room is searched, so that a large amount finds room; the total may then exceed the limit.
    """

    def __init__(self, limit: int, *, share: float, first: int | None = None) -> None:
        self.limit = limit
        self._first = first
        self.held = 0
        """The sum over all clients."""
        self._ratio = share / (1 - share) if share < 1 else math.inf
        self._held_by: dict[Hashable, int] = {}

    @property
    def num_clients(self) -> int:
        """The number of clients that hold anything."""
        return len(self._held_by)

    def held_by(self, client: Hashable) -> int:
        """Return the amount that a client holds."""
        return self._held_by.get(client, 0)

    def left_to(self, client: Hashable) -> int:
        """Return the largest amount that a client which holds something could take now."""
        free = self.limit - self.held
        if self._ratio == math.inf:
            return max(0, free)
        return max(0, int((self._ratio * free - self.held_by(client)) / (1 + self._ratio)))

    def fits(self, client: Hashable, amount: int) -> bool:
        """Return whether a client may take an amount.

        Any amount fits while nothing is held: a request larger than the room would otherwise be refused for ever. A
        client that holds nothing may take any free amount, also beyond its share.
        """
        if not self.held:
            return True
        if self.is_full_for(client, amount):
            return False
        held = self._held_by.get(client, 0)
        if not held or self._ratio == math.inf:
            return True
        return held + amount <= self._ratio * (self.limit - self.held - amount)

    def is_full_for(self, client: Hashable, amount: int) -> bool:
        """Return whether the amount exceeds the free room, whatever the client's share is."""
        if self._first is not None and client not in self._held_by:
            amount = min(amount, self._first)
        free = self.limit - self.held
        if amount > self.limit // _LARGE and self._ratio != math.inf:
            free -= self.limit // _KEPT
        return amount > free

    def take(self, client: Hashable, amount: int) -> bool:
        """Add an amount to a client if it fits; return whether it did."""
        if not self.fits(client, amount):
            return False
        self.add(client, amount)
        return True

    def add(self, client: Hashable, amount: int) -> None:
        """Add an amount to a client, whether it fits or not."""
        self.held += amount
        self._held_by[client] = self._held_by.get(client, 0) + amount

    def release(self, client: Hashable, amount: int) -> None:
        """Subtract an amount that a client no longer holds."""
        self.held -= amount
        left = self._held_by[client] - amount
        if left:
            self._held_by[client] = left
        else:
            del self._held_by[client]
