"""Order waiting rows: clients get equal shares of the graph, and so do the requests of one client.

Clients are served by start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996). Every client has a start tag: the
tokens it was given, in virtual time. The smallest tag goes first, and a client that returns after a pause starts at the
current virtual time. The requests of one client run whole, in the order in which equal shares would finish them: few
finish later than with equal shares, most much sooner. Requests of up to `min_tokens` count as equally long, and run in
the order of arrival.
"""

from bisect import bisect_left, insort
from itertools import islice
from operator import attrgetter
from typing import Any, Generic, TypeVar

from seqserve.service.engine.batching.ticket import Batch, Entry, Ticket

Row = TypeVar("Row")
Result = TypeVar("Result")

CROWDED_S = 1.0
"""How long after a request the queue counts as shared by several clients."""

_MIN_FLOWS = 64
_start_tag = attrgetter("start_tag")
_finish_tag = attrgetter("finish_tag")


class _Flow:
    """The waiting rows of one client."""

    __slots__ = ("client", "num_requests", "num_tokens", "start_tag", "started", "tickets", "virtual_time")

    def __init__(self, client: str, start_tag: float) -> None:
        self.client = client
        self.start_tag = start_tag
        self.virtual_time = 0.0  # within the flow: tokens that equal shares would have given each request
        self.num_requests = 1  # that shared the client's turn when its last batch was taken
        self.num_tokens = 0  # of the rows of `tickets`
        self.tickets: list[Ticket[Any, Any]] = []  # sorted by finish tag
        self.started: list[Batch[Any, Any]] = []  # batches with a row of this client

    @property
    def is_backlogged(self) -> bool:
        return bool(self.tickets or self.started)

    def finish_tag_of(self, batch: Batch[Any, Any]) -> float:
        return min(ticket.finish_tag for ticket, _ in batch.entries if ticket.cancellation.client == self.client)


class FairQueue(Generic[Row, Result]):
    """Requests whose rows wait, and batches that wait for the next part of their run; for one thread at a time."""

    def __init__(self, min_tokens: int) -> None:
        self._min_tokens = min_tokens
        self._flows: dict[str, _Flow] = {}
        self._backlogged: list[_Flow] = []  # by start tag
        self._virtual_time = 0.0  # start tag of the flow served last
        self._max_start_tag = 0.0
        self._max_flows = _MIN_FLOWS
        self._last_client: str | None = None
        self._crowded_until = 0.0

    def __len__(self) -> int:
        return sum(len(ticket.left) for flow in self._backlogged for ticket in flow.tickets)

    def add(self, ticket: Ticket[Row, Result], now: float) -> None:
        """Queue the rows of a request that arrives at `now`."""
        client = ticket.cancellation.client
        flow = self._backlogged_flow(client)
        num_tokens = sum(ticket.lengths)
        ticket.finish_tag = flow.virtual_time + max(num_tokens, self._min_tokens)
        flow.num_tokens += num_tokens
        insort(flow.tickets, ticket, key=_finish_tag)
        if len(self._backlogged) > 1 or self._last_client not in (None, client):
            self._crowded_until = now + CROWDED_S
        self._last_client = client

    def is_crowded(self, now: float, num_tokens: int) -> bool:
        """Return whether a client has more than `num_tokens` waiting while others use the queue."""
        return now < self._crowded_until and any(flow.num_tokens > num_tokens for flow in self._backlogged)

    def front(self, size: int, now: float) -> list[Entry[Row, Result]]:
        """Return up to `size` rows, the next one first, with rows of every client; they stay in the queue.

        Requests that are over are dropped. No more rows than needed are visited: this is done for every batch, and a
        request may have 100,000 rows.
        """
        window: list[Entry[Row, Result]] = []
        over: list[Ticket[Row, Result]] = []
        flows = self._backlogged[:size]
        for flow in flows:
            room = size // len(flows)
            for ticket in flow.tickets:
                if room <= 0:
                    break
                if ticket.is_over(now):
                    over.append(ticket)
                    continue
                left = ticket.left
                window += [(ticket, row) for row in islice(left, room)] if len(left) > 1 else [(ticket, left[0])]
                room -= len(left)
        for ticket in over:
            self.drop(ticket)
        return window

    def take(self, batch: Batch[Row, Result]) -> None:
        """Remove a batch's rows; its first entry is the row that was next."""
        first, _ = batch.entries[0]
        self._serve(self._flows[first.cancellation.client], batch)
        for ticket, row in batch.entries:
            flow = self._flows[ticket.cancellation.client]
            ticket.left.remove(row)
            flow.num_tokens -= ticket.lengths[row]
            if not ticket.left:
                self._remove(flow, ticket)

    def drop(self, ticket: Ticket[Row, Result]) -> None:
        """Remove the rows of a request that will not run; does nothing when all of them have run."""
        if ticket.left:
            flow = self._flows[ticket.cancellation.client]
            flow.num_tokens -= sum(ticket.lengths[row] for row in ticket.left)
            ticket.left.clear()
            self._remove(flow, ticket)

    def charge(self, batch: Batch[Row, Result]) -> None:
        """Charge each client for its own rows of a batch that has run."""
        costs: dict[str, float] = {}
        for (ticket, _), cost in zip(batch.entries, batch.costs, strict=True):
            client = ticket.cancellation.client
            costs[client] = costs.get(client, 0) + cost
        for client, cost in costs.items():
            flow = self._flow(client)
            flow.virtual_time += cost / flow.num_requests
            if flow.is_backlogged:
                self._backlogged.remove(flow)
            flow.start_tag += cost
            self._max_start_tag = max(self._max_start_tag, flow.start_tag)
            if flow.is_backlogged:
                insort(self._backlogged, flow, key=_start_tag)

    def put_back(self, batch: Batch[Row, Result]) -> None:
        """Queue a batch whose run has begun; its next part runs in the turn of any client in it."""
        for client in batch.clients:
            self._backlogged_flow(client).started.append(batch)

    def take_started(self) -> Batch[Row, Result] | None:
        """Remove the batch whose run has begun and is next; None when rows that have not run come first."""
        if not self._backlogged or not self._backlogged[0].started:
            return None
        flow = self._backlogged[0]
        batch = min(flow.started, key=flow.finish_tag_of)
        if flow.tickets and flow.tickets[0].finish_tag < flow.finish_tag_of(batch):
            return None
        self._serve(flow, batch)
        for client in batch.clients:
            other = self._flows[client]
            other.started.remove(batch)
            if not other.is_backlogged:
                self._backlogged.remove(other)
        return batch

    def _serve(self, flow: _Flow, batch: Batch[Row, Result]) -> None:
        """Advance the virtual time to the next flow; note how many requests share the turn of each client."""
        self._virtual_time = max(self._virtual_time, flow.start_tag)
        for client in batch.clients:
            served = self._flows[client]
            served.num_requests = len(served.tickets) + len(served.started)

    def _remove(self, flow: _Flow, ticket: Ticket[Row, Result]) -> None:
        # Bisection: a comparison with every earlier request would cost more than all else that is done for a request.
        del flow.tickets[flow.tickets.index(ticket, bisect_left(flow.tickets, ticket.finish_tag, key=_finish_tag))]
        if not flow.is_backlogged:
            self._backlogged.remove(flow)

    def _flow(self, client: str) -> _Flow:
        flow = self._flows.get(client)
        if flow is None:
            if len(self._flows) >= self._max_flows:
                self._forget_idle()
            flow = self._flows[client] = _Flow(client, self._virtual_time)
        return flow

    def _backlogged_flow(self, client: str) -> _Flow:
        """Return the flow of a client, to which the caller adds work."""
        flow = self._flow(client)
        if not flow.is_backlogged:
            if not self._backlogged:
                self._virtual_time = max(self._virtual_time, self._max_start_tag)  # nothing waits: all start equal
            flow.start_tag = max(flow.start_tag, self._virtual_time)  # a pause saves up no credit
            insort(self._backlogged, flow, key=_start_tag)
        return flow

    def _forget_idle(self) -> None:
        """Forget the flows that would start at the current virtual time anyway.

        The cost is amortised: the number of flows must double before the next call.
        """
        time = self._virtual_time
        self._flows = {name: flow for name, flow in self._flows.items() if flow.is_backlogged or flow.start_tag > time}
        self._max_flows = 2 * len(self._flows) + _MIN_FLOWS
