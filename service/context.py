"""The parts of the app and the state of one request, for its route."""

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
"""In the same environment: the client of the request, see `seqserve.service.clients`."""

FOR_OPERATORS = "seqserve.for_operators"
"""In the same environment: whether the request came in by the port of probes and metrics."""

HAS_LEFT = "seqserve.has_left"
"""In the same environment: a function that returns whether the client has left; callable from any thread."""

HOLD_AHEAD = "seqserve.hold_ahead"
"""In the same environment: a function that holds room for an answer of N bytes; raises OverloadedError."""

REFUSED = "seqserve.refused"
"""In the same environment: the error of a request that was refused by its head; its body was discarded."""

CLIENT_LEFT = "499"
"""Status in logs and metrics when the client has left, as in nginx; it is not sent."""

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
    """One request: its WSGI environment, its ids, its arrival, its route and model, and its seconds by part.

    The functions of `at_end` are called once the answer was sent, or cannot be sent.
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

    def end(self) -> None:
        """Call the functions of `at_end`."""
        for function in self.at_end:
            function()

    def expect_items(self, num_items: int) -> None:
        """Hold room for an answer of about this many items before they are made; raises OverloadedError."""
        if num_items >= LARGE_TOKENS and (hold := self.environ.get(HOLD_AHEAD)) is not None:
            hold(_ITEM_BYTES * num_items)


_ITEM_BYTES = 50
"""JSON of an alternative or of a drawn token; a token with its offsets takes twice as much."""

_current: ContextVar[Exchange] = ContextVar("exchange")


def enter(here: Exchange) -> None:
    """Make a request the current one of this greenlet or thread."""
    _current.set(here)


def exchange() -> Exchange:
    """Return the current request."""
    return _current.get()
