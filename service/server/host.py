"""The worker, as its connections see it."""

from typing import Any, Literal, Protocol

from seqserve.service.clients import Clients
from seqserve.service.server.room import Room
from seqserve.service.server.turns import Turns
from seqserve.service.settings import Settings

State = Literal["idle", "reading", "answering", "parting"]


class Host(Protocol):
    """What connections need of their worker."""

    settings: Settings
    wsgi: Any
    clients: Clients
    turns: Turns
    room: Room

    @property
    def sends_away(self) -> bool:
        """Whether the client's next request should come on another connection, which another worker will take."""

    def note(self, connection: Any, state: State, until: float) -> None:
        """Take down what a connection does, and until when (monotonic) it may."""

    def forget(self, connection: Any) -> None:
        """A connection is closed."""
