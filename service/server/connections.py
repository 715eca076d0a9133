"""Hold the connections of a process, with their states and time limits."""

import time

from seqserve.service.engine.shares import Shares
from seqserve.service.server.connection import Connection
from seqserve.service.server.host import State
from seqserve.service.settings import Settings


class Connections:
    """All connections of a process; those of operators are kept apart and have no limit.

    Within each state connections are in the order of their ends.
    """

    def __init__(self, settings: Settings) -> None:
        self.limit = settings.max_connections
        # A trusted proxy holds the connections of all its clients.
        share = 1.0 if settings.trust_forwarded else settings.client_share
        self._by_address = Shares(settings.max_connections, share=share)
        self._all: set[Connection] = set()
        self._of_operators: set[Connection] = set()
        self._ends: dict[State, dict[Connection, float]] = {"idle": {}, "reading": {}, "closing": {}}

    def __len__(self) -> int:
        return len(self._all)

    @property
    def is_empty(self) -> bool:
        """Whether no connection is left, including those of operators."""
        return not self._all and not self._of_operators

    def add(self, connection: Connection, *, for_operators: bool) -> None:
        """Add a new connection."""
        if for_operators:
            self._of_operators.add(connection)
        else:
            self._all.add(connection)
            self._by_address.add(connection.address, 1)

    def note(self, connection: Connection, state: State, until: float) -> None:
        """Set the state of a connection and its end, monotonic; answering has no end."""
        self._leave(connection)
        if state != "answering":
            self._ends[state][connection] = until

    def forget(self, connection: Connection) -> None:
        """Remove a closed connection."""
        self._leave(connection)
        self._of_operators.discard(connection)
        if connection in self._all:
            self._all.remove(connection)
            self._by_address.release(connection.address, 1)

    def sweep(self) -> None:
        """Expire the connections whose time limit has passed."""
        now = time.monotonic()
        for ends in self._ends.values():
            while ends:
                connection, until = next(iter(ends.items()))
                if until > now:
                    break
                self._leave(connection)
                connection.expire()

    def close_idle(self) -> None:
        """Close all idle connections on which no request has arrived."""
        for connection in list(self._ends["idle"]):
            connection.close_idle()

    def make_room_for(self, address: str) -> bool:
        """Return whether an address may have another connection; if not, close its longest idle one first."""
        if self._by_address.fits(address, 1):
            return True
        self._close_longest_idle(address)
        return self._by_address.fits(address, 1)

    def make_room(self) -> bool:
        """Return whether there is room for a connection; if not, close the longest idle one first."""
        if len(self._all) >= self.limit:
            self._close_longest_idle(None)
        return len(self._all) < self.limit

    def _close_longest_idle(self, address: str | None) -> None:
        for connection in self._ends["idle"]:
            if connection in self._all and address in (None, connection.address):
                connection.close_idle()
                return

    def _leave(self, connection: Connection) -> None:
        for ends in self._ends.values():
            ends.pop(connection, None)
