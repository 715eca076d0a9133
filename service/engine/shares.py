"""Room of one kind (queued tokens, requests, bytes, connections, samples) that clients hold, none more than its share.

A client may hold so much that what is left to others keeps a fixed ratio to it: one client alone gets `share` of the
room, two greedy ones less each, and some room is left whatever their number (dynamic thresholds: Choudhury and Hahne,
IEEE/ACM Transactions on Networking 6(2), 1998).
"""

import math
from collections.abc import Hashable

_LARGE = 16
_KEPT = 8
"""Amounts above a 16th of the room leave an 8th of it free, so that small ones find room."""


class Shares:
    """Who holds how much of `limit`; one thread at a time.

    share: what one client may hold while it is alone, above 0 and at most 1; 1 lets it have everything. first: what the
    first amount of a client counts as at most when room is looked for, so that a large one finds room beside others; it
    may exceed the limit.
    """

    def __init__(self, limit: int, *, share: float, first: int | None = None) -> None:
        self.limit = limit
        self._first = first
        self.held = 0
        """What all clients hold together."""
        self._ratio = share / (1 - share) if share < 1 else math.inf
        self._held_by: dict[Hashable, int] = {}

    @property
    def num_clients(self) -> int:
        """How many clients hold anything."""
        return len(self._held_by)

    def held_by(self, client: Hashable) -> int:
        """Return what a client holds."""
        return self._held_by.get(client, 0)

    def left_to(self, client: Hashable) -> int:
        """Return the largest amount that a client which holds something could take now."""
        free = self.limit - self.held
        if self._ratio == math.inf:
            return max(0, free)
        return max(0, int((self._ratio * free - self.held_by(client)) / (1 + self._ratio)))

    def fits(self, client: Hashable, amount: int) -> bool:
        """Say whether a client may take an amount.

        Where nobody holds anything, any amount fits: a request larger than the room would be told to come back for
        ever. A client that holds nothing may take what is free, also beyond its share.
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
        """Say whether the amount is refused for want of room, whatever the client's share is."""
        if self._first is not None and client not in self._held_by:
            amount = min(amount, self._first)
        free = self.limit - self.held
        if amount > self.limit // _LARGE and self._ratio != math.inf:
            free -= self.limit // _KEPT
        return amount > free

    def take(self, client: Hashable, amount: int) -> bool:
        """Let a client hold an amount more if it fits; say whether it did."""
        if not self.fits(client, amount):
            return False
        self.add(client, amount)
        return True

    def add(self, client: Hashable, amount: int) -> None:
        """Let a client hold an amount more, whether it fits or not."""
        self.held += amount
        self._held_by[client] = self._held_by.get(client, 0) + amount

    def give(self, client: Hashable, amount: int) -> None:
        """Take back what a client no longer holds."""
        self.held -= amount
        left = self._held_by[client] - amount
        if left:
            self._held_by[client] = left
        else:
            del self._held_by[client]
