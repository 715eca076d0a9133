"""What every route of one app can reach, and what one request has gathered so far."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from seqserve.service.clients import Clients
from seqserve.service.engine.cancellation import Cancellation
from seqserve.service.engine.event_loop import LARGE_TOKENS
from seqserve.service.engine.registry import Registry
from seqserve.service.server.shared_state import SharedState
from seqserve.service.settings import Settings

ARRIVED_AT = "seqserve.arrived_at"
"""In the environment that the worker hands to the app: monotonic time of the request's first byte."""

CLIENT = "seqserve.client"
"""There too: whose request it is, see `seqserve.service.clients`."""

FOR_OPERATORS = "seqserve.for_operators"
"""True where the request came in by the port of probes and metrics."""

HAS_LEFT = "seqserve.has_left"
"""A function that says, from any thread, whether the client has gone."""

HOLD_AHEAD = "seqserve.hold_ahead"
"""A function that holds room for an answer of a number of bytes until it was sent; raises OverloadedError."""

REFUSED = "seqserve.refused"
"""The error of a request that was refused by its head; its body was thrown away."""

CLIENT_LEFT = "499"
"""Status that nobody reads, for logs and metrics, as nginx has it."""

SERVICE = "seqserve"
"""Key of an app's extensions."""


class Counters(Protocol):
    """What requests are counted with: the table of metrics names what kinds count, so it stands above the routes."""

    def count_request(self, route: str, model: str, status: int, seconds: dict[str, float]) -> None:
        """Count an answered request; `seconds` has queue, compute and total."""

    def count_rejected(self, code: str) -> None:
        """Count a request that got an error instead of a result."""

    def count_tokens(self, model: str, num_tokens: int, *, kind: str) -> None:
        """Count tokens that a model has worked on."""

    def render(self) -> tuple[bytes, str]:
        """Return all numbers as text, with its content type."""


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of one app; `describe` returns its /openapi.json."""

    settings: Settings
    registry: Registry
    shared: SharedState
    telemetry: Counters
    clients: Clients
    describe: Callable[[], bytes]


@dataclass(slots=True)
class Exchange:
    """One request: its WSGI environment, its ids, when it arrived, what answers it, and seconds by part.

    `at_end` is called once the answer is on its way, or given up.
    """

    service: Service
    environ: Mapping[str, Any]
    request_id: str
    arrived_at: float
    cancellation: Cancellation
    traceparent: str = ""
    model: str = ""
    route: str = "unknown"
    queue_s: float = 0.0
    compute_s: float = 0.0
    at_end: list[Callable[[], object]] = field(default_factory=list)

    def expect_items(self, num_items: int) -> None:
        """Hold room for an answer of about this many items before they are made; raises OverloadedError."""
        if num_items >= LARGE_TOKENS and (hold := self.environ.get(HOLD_AHEAD)) is not None:
            hold(_ITEM_BYTES * num_items)


_ITEM_BYTES = 50
"""Of JSON: an alternative or a drawn token takes about that, a token with its offsets twice as much."""

_current: ContextVar[Exchange] = ContextVar("exchange")


def enter(here: Exchange) -> None:
    """Make a request the current one of this greenlet or thread."""
    _current.set(here)


def exchange() -> Exchange:
    """Return what belongs to the current request."""
    return _current.get()


def service() -> Service:
    """Return the parts of the app that answers the current request."""
    return _current.get().service
