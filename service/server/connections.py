"""The connections of a process: what each is doing, and until when it may."""

import time

from seqserve.service.engine.shares import Shares
from seqserve.service.server.connection import Connection
from seqserve.service.server.host import State
from seqserve.service.settings import Settings


class Connections:
    """All connections of a process; those of operators are apart, and no limit touches them.

    Of each state those come first whose time is up first.
    """

    def __init__(self, settings: Settings) -> None:
        self.limit = settings.max_connections
        # The connections of trusted proxies are those of all their clients.
        share = 1.0 if settings.trust_forwarded else settings.client_share
        self._by_address = Shares(settings.max_connections, share=share)
        self._all: set[Connection] = set()
        self._of_operators: set[Connection] = set()
        self._ends: dict[State, dict[Connection, float]] = {"idle": {}, "reading": {}, "parting": {}}
        self._state_of: dict[Connection, State] = {}

    def __len__(self) -> int:
        return len(self._all)

    @property
    def are_gone(self) -> bool:
        """Whether none is left, of operators neither."""
        return not self._all and not self._of_operators

    def add(self, connection: Connection, *, for_operators: bool) -> None:
        """Take a new one in."""
        if for_operators:
            self._of_operators.add(connection)
        else:
            self._all.add(connection)
            self._by_address.add(connection.address, 1)

    def note(self, connection: Connection, state: State, until: float) -> None:
        """Take down what a connection does, and until when (monotonic) it may; answering has no end of its own."""
        self._leave(connection)
        if state != "answering":
            ends = self._ends[state]
            ends[connection] = until
            self._state_of[connection] = state

    def forget(self, connection: Connection) -> None:
        """Forget one that is closed."""
        self._leave(connection)
        self._of_operators.discard(connection)
        if connection in self._all:
            self._all.remove(connection)
            self._by_address.give(connection.address, 1)

    def sweep(self) -> None:
        """End what has taken too long."""
        now = time.monotonic()
        for ends in self._ends.values():
            while ends:
                connection, until = next(iter(ends.items()))
                if until > now:
                    break
                self._leave(connection)
                connection.expire()

    def hurry(self) -> None:
        """Close all idle ones on which no request is coming."""
        for connection in list(self._ends["idle"]):
            connection.hurry()

    def has_place(self, address: str) -> bool:
        """Whether an address may have another connection; its longest idle one makes room for it."""
        if self._by_address.fits(address, 1):
            return True
        self._hurry_one(address)
        return self._by_address.fits(address, 1)

    def make_room(self) -> bool:
        """Let the longest idle one make room for another, where all places are taken; say whether there is room."""
        if len(self._all) >= self.limit:
            self._hurry_one(None)
        return len(self._all) < self.limit

    def _hurry_one(self, address: str | None) -> None:
        for connection in self._ends["idle"]:
            if connection in self._all and address in (None, connection.address):
                connection.hurry()
                return

    def _leave(self, connection: Connection) -> None:
        state = self._state_of.pop(connection, None)
        if state is not None:
            self._ends[state].pop(connection, None)
