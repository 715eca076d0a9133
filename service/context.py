"""What every route of one app can reach, and what one request has gathered so far."""

from dataclasses import dataclass, field
from typing import cast

from flask import current_app, g

from service.engine.patience import Patience
from service.engine.registry import Registry
from service.metrics.telemetry import Telemetry
from service.server.shared_state import SharedState
from service.settings import Settings

ARRIVED_AT = "seqserve.arrived_at"
"""In the environment that the worker hands to the app: monotonic time of the request's first byte."""

CLIENT_LEFT = 499
"""Status that nobody reads, for logs and metrics, as nginx has it."""

FOR_OPERATORS = "seqserve.for_operators"
"""In the same place, true where the request came in by the port of probes and metrics."""

SERVICE = "seqserve"
"""Key of an app's extensions."""


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of one app."""

    settings: Settings
    registry: Registry
    shared: SharedState
    telemetry: Telemetry


@dataclass(slots=True)
class Exchange:
    """One request: its ids, when it arrived, what answers it, and seconds by part (queue, compute, total)."""

    request_id: str
    arrived_at: float
    patience: Patience
    traceparent: str = ""
    model: str = ""
    seconds: dict[str, float] = field(default_factory=lambda: {"queue": 0.0, "compute": 0.0})


def attach(service: Service) -> None:
    """Make the parts known to the current app."""
    current_app.extensions[SERVICE] = service


def service() -> Service:
    """Return the parts of the current app."""
    return cast(Service, current_app.extensions[SERVICE])


def exchange() -> Exchange:
    """Return what belongs to the current request."""
    return cast(Exchange, g.exchange)
