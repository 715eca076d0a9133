"""The order of waiting rows: every client gets an equal share of the graph, then the requests of a client theirs.

Among clients it is start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996): the client that has been given the
least goes first, and one that comes back after a pause starts where the others are. Within a client whole requests
are ordered by the ends that equal shares would give them: of a long queue served so, few end later and most much
sooner. Requests of up to `least_tokens` are as good as equal, and are served as they come.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from itertools import islice
from operator import attrgetter
from typing import Any, Generic, TypeVar

from seqserve.service.engine.batching.ticket import Batch, Entry, Ticket

Row = TypeVar("Row")
Result = TypeVar("Result")

CROWDED_S = 1.0
"""How long a second client counts as being there after a request of it or of another has come."""

_FEW_LANES = 64
_given = attrgetter("given")
_place = attrgetter("place")


class _Lane:
    """What waits of one client."""

    __slots__ = ("given", "now", "num_requests", "num_tokens", "started", "tickets")

    def __init__(self, given: float) -> None:
        self.given = given  # tokens, in the virtual time of all clients
        self.now = 0.0  # tokens that each of its requests would have been given since the lane began
        self.num_requests = 1  # that were there when the batch in service was taken
        self.num_tokens = 0  # of the rows of `tickets`
        self.tickets: list[Ticket[Any, Any]] = []  # by place
        self.started: list[Batch[Any, Any]] = []  # those that hold a row of this client

    @property
    def is_active(self) -> bool:
        return bool(self.tickets or self.started)


class FairQueue(Generic[Row, Result]):
    """Requests whose rows wait, and batches that have begun and wait to go on; one thread at a time."""

    def __init__(self, least_tokens: int) -> None:
        self._least_tokens = least_tokens
        self._lanes: dict[str, _Lane] = {}
        self._active: list[_Lane] = []  # by `given`
        self._now = 0.0  # virtual time: what the client in service had been given
        self._most_given = 0.0  # to any client
        self._most_lanes = _FEW_LANES
        self._last_client: str | None = None
        self._crowded_until = 0.0

    def __len__(self) -> int:
        return sum(len(ticket.left) for lane in self._active for ticket in lane.tickets)

    def add(self, ticket: Ticket[Row, Result], now: float) -> None:
        """Queue the rows of a request that comes at the instant `now`."""
        client = ticket.cancellation.client
        lane = self._activated(client)
        num_tokens = sum(ticket.lengths)
        ticket.place = lane.now + max(num_tokens, self._least_tokens)
        lane.num_tokens += num_tokens
        insort(lane.tickets, ticket, key=_place)
        if len(self._active) > 1 or self._last_client not in (None, client):
            self._crowded_until = now + CROWDED_S
        self._last_client = client

    def is_crowded(self, now: float, num_tokens: int) -> bool:
        """Say whether some client has more than `num_tokens` waiting while another may come at any moment."""
        return now < self._crowded_until and any(lane.num_tokens > num_tokens for lane in self._active)

    def front(self, size: int, now: float) -> list[Entry[Row, Result]]:
        """Return the first living rows, which stay in the queue: the one whose turn it is first, and some of each lane.

        Requests that are over are dropped. No more rows than needed are looked at: a request may have 100,000, and this
        is done for every batch.
        """
        window: list[Entry[Row, Result]] = []
        dead: list[Ticket[Row, Result]] = []
        lanes = self._active[:size]
        for lane in lanes:
            room = size // len(lanes)
            for ticket in lane.tickets:
                if room <= 0:
                    break
                if ticket.is_over(now):
                    dead.append(ticket)
                    continue
                left = ticket.left
                window += [(ticket, row) for row in islice(left, room)] if len(left) > 1 else [(ticket, left[0])]
                room -= len(left)
        for ticket in dead:
            self.drop(ticket)
        return window

    def take(self, batch: Batch[Row, Result]) -> None:
        """Remove a batch's rows; the first entry is the row whose turn it was."""
        first, _ = batch.entries[0]
        self._serve(self._lanes[first.cancellation.client], batch)
        for ticket, row in batch.entries:
            lane = self._lanes[ticket.cancellation.client]
            ticket.left.remove(row)
            lane.num_tokens -= ticket.lengths[row]
            if not ticket.left:
                self._remove(lane, ticket)

    def drop(self, ticket: Ticket[Row, Result]) -> None:
        """Remove the rows of a request that are not to be run."""
        if ticket.left:
            lane = self._lanes[ticket.cancellation.client]
            lane.num_tokens -= sum(ticket.lengths[row] for row in ticket.left)
            ticket.left.clear()
            self._remove(lane, ticket)

    def charge(self, batch: Batch[Row, Result]) -> None:
        """Note what a batch that was taken has cost, each client its own rows."""
        for client, cost in batch.costs_by_client().items():
            lane = self._lane(client)
            lane.now += cost / lane.num_requests
            if lane.is_active:
                self._active.remove(lane)
            lane.given += cost
            self._most_given = max(self._most_given, lane.given)
            if lane.is_active:
                insort(self._active, lane, key=_given)

    def put_back(self, batch: Batch[Row, Result]) -> None:
        """Queue a batch that has begun; its turn is that of any client in it."""
        for client in _clients(batch.entries):
            self._activated(client).started.append(batch)

    def take_started(self) -> Batch[Row, Result] | None:
        """Remove the batch that has begun and whose turn it is; None when fresh rows come first."""
        if not self._active or not self._active[0].started:
            return None
        lane = self._active[0]
        places = [
            min(ticket.place for ticket, _ in batch.entries if self._lane(ticket.cancellation.client) is lane)
            for batch in lane.started
        ]
        if lane.tickets and lane.tickets[0].place < min(places):
            return None
        batch = lane.started[places.index(min(places))]
        self._serve(lane, batch)
        for client in _clients(batch.entries):
            other = self._lanes[client]
            other.started.remove(batch)
            if not other.is_active:
                self._active.remove(other)
        return batch

    def _serve(self, lane: _Lane, batch: Batch[Row, Result]) -> None:
        """Note whose turn it is, and how many requests share what each client is given."""
        self._now = max(self._now, lane.given)
        for client in _clients(batch.entries):
            served = self._lanes[client]
            served.num_requests = len(served.tickets) + len(served.started)

    def _remove(self, lane: _Lane, ticket: Ticket[Row, Result]) -> None:
        # Found by its place: comparing with all that wait before it would cost more than the rest of a request's turn.
        del lane.tickets[lane.tickets.index(ticket, bisect_left(lane.tickets, ticket.place, key=_place))]
        if not lane.is_active:
            self._active.remove(lane)

    def _lane(self, client: str) -> _Lane:
        lane = self._lanes.get(client)
        if lane is None:
            if len(self._lanes) >= self._most_lanes:
                self._forget_idle()
            lane = self._lanes[client] = _Lane(self._now)
        return lane

    def _activated(self, client: str) -> _Lane:
        """Return a client's lane, which is about to get something that waits."""
        lane = self._lane(client)
        if not lane.is_active:
            if not self._active:
                self._now = max(self._now, self._most_given)  # nobody waits: all begin anew
            lane.given = max(lane.given, self._now)  # no credit is saved up
            insort(self._active, lane, key=_given)
        return lane

    def _forget_idle(self) -> None:
        """Forget clients that would start anew if they came back; amortised, as the number must double until then."""
        self._lanes = {client: lane for client, lane in self._lanes.items() if lane.is_active or lane.given > self._now}
        self._most_lanes = 2 * len(self._lanes) + _FEW_LANES


def _clients(entries: Iterable[Sequence[Any]]) -> set[str]:
    return {ticket.cancellation.client for ticket, _ in entries}
