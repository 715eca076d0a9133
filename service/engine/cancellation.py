"""Until when a request's work is worth doing: until its deadline, and only while its client is there."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from seqserve.service.errors import DeadlineExceededError

LOOK_AFTER_S = 0.25
"""How long after a request's arrival batches first ask whether its client has left."""


class ClientLeftError(Exception):
    """The client has closed its connection, so nobody reads the answer."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """When a request's work ends without an answer.

    deadline: monotonic. has_left: whether the client has closed its connection; quick, callable from any thread.
    looks_at: monotonic; `has_left` is not asked before. Some clients close their sending side and wait, which looks
    the same; until then their requests are answered. client: the owner of the request, a digest of a key or an address;
    clients share the server equally.
    """

    deadline: float
    has_left: Callable[[], bool] | None = None
    looks_at: float = 0.0
    client: str = ""

    def of(self, client: str) -> "Cancellation":
        """Return the same for a client that has become known."""
        return replace(self, client=client)

    def is_over(self, now: float) -> bool:
        """Return whether the deadline has passed; the client is not asked for."""
        return now >= self.deadline

    def has_client_left(self, now: float) -> bool:
        """Return whether the client has left; always False before `looks_at`."""
        return self.has_left is not None and now >= self.looks_at and self.has_left()

    def check(self) -> None:
        """Raise DeadlineExceededError after the deadline, and ClientLeftError when the client has left."""
        now = time.monotonic()
        if self.is_over(now):
            raise late()
        if self.has_client_left(now):
            raise ClientLeftError


def late() -> DeadlineExceededError:
    """Return the error of a request whose deadline has passed."""
    return DeadlineExceededError("The request was not answered within its deadline; its work was dropped.")
