"""How long a request's work is worth doing: until its deadline, and only while its client is there."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from service.errors import DeadlineExceededError


class ClientLeftError(Exception):
    """Nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class Patience:
    """`deadline` is monotonic; `has_left` says, quickly and from any thread, whether the client is gone."""

    deadline: float
    has_left: Callable[[], bool] | None = None

    def is_over(self, now: float) -> bool:
        """Whether the deadline has passed; the client is not looked at."""
        return now >= self.deadline

    def check(self) -> None:
        """Raise DeadlineExceededError or ClientLeftError when going on would be in vain."""
        if time.monotonic() >= self.deadline:
            raise late()
        if self.has_left is not None and self.has_left():
            raise ClientLeftError


def late() -> DeadlineExceededError:
    """The error of a request whose deadline has passed."""
    return DeadlineExceededError("The request was not answered within its deadline; its work was dropped.")
