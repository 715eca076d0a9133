"""How long a request's work is worth doing: until its deadline, and only while its client is there."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from seqserve.service.errors import DeadlineExceededError

LOOK_AFTER_S = 0.25
"""How long after its arrival a request's client is first looked at by batches."""


class ClientLeftError(Exception):
    """Nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """`deadline` is monotonic; `has_left` says, quickly and from any thread, whether the client is gone.

    Some clients end their sending side and wait, and cannot be told from those that have gone. Batches look at clients
    only from `looks_at` on, monotonic, so that whoever is answered at once is answered at all. client: whom the request
    belongs to, the digest of a key or an address; clients share the server equally.
    """

    deadline: float
    has_left: Callable[[], bool] | None = None
    looks_at: float = 0.0
    client: str = ""

    def of(self, client: str) -> "Cancellation":
        """Return the same for a client that has become known."""
        return replace(self, client=client)

    def is_over(self, now: float) -> bool:
        """Whether the deadline has passed; the client is not looked at."""
        return now >= self.deadline

    def is_alone(self, now: float) -> bool:
        """Whether the client has gone, as far as one looks yet."""
        return self.has_left is not None and now >= self.looks_at and self.has_left()

    def check(self) -> None:
        """Raise DeadlineExceededError or ClientLeftError when going on would be in vain."""
        now = time.monotonic()
        if self.is_over(now):
            raise late()
        if self.is_alone(now):
            raise ClientLeftError


def late() -> DeadlineExceededError:
    """The error of a request whose deadline has passed."""
    return DeadlineExceededError("The request was not answered within its deadline; its work was dropped.")
