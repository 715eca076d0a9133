"""The part of a worker that its connections use."""

from typing import Any, Literal, Protocol

from seqserve.service.clients import Clients
from seqserve.service.server.room import Room
from seqserve.service.server.turns import Turns
from seqserve.service.settings import Settings

State = Literal["idle", "reading", "answering", "closing"]


class Host(Protocol):
    """A worker, for its connections."""

    settings: Settings
    wsgi: Any
    clients: Clients
    turns: Turns
    room: Room

    @property
    def sheds_clients(self) -> bool:
        """Whether clients should open a new connection, which another worker accepts."""

    def note(self, connection: Any, state: State, until: float) -> None:
        """Set the state of a connection and its end, monotonic."""

    def forget(self, connection: Any) -> None:
        """Remove a closed connection."""
