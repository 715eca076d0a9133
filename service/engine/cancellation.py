"""End the work of a request at its deadline, or when its client has left."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from seqserve.service.errors import DeadlineExceededError

LOOK_AFTER_S = 0.25
"""Time after a request's arrival at which batches first ask whether its client has left."""


class ClientLeftError(Exception):
    """The client has closed its connection, so the answer cannot be read."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """When a request's work ends without an answer.

    deadline: monotonic. has_left: whether the client has closed its connection; quick, callable from any thread.
    looks_at: monotonic; `has_left` is not called before. Some clients close their sending side and wait, which looks
    the same; requests that take no longer are answered. client: the owner of the request, a key or an address.
    """

    deadline: float
    has_left: Callable[[], bool] | None = None
    looks_at: float = 0.0
    client: str = ""

    def of(self, client: str) -> "Cancellation":
        """Return a copy for a client that has become known."""
        return replace(self, client=client)

    def is_over(self, now: float) -> bool:
        """Return whether the deadline has passed."""
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
