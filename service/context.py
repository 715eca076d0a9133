"""What every route of one app can reach, and what one request has gathered so far."""

from dataclasses import dataclass, field
from typing import cast

from flask import current_app, g

from service.arrival import Arrival
from service.board import Board
from service.engine.registry import Registry
from service.settings import Settings
from service.telemetry import Telemetry

_KEY = "seqserve"


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of one app."""

    settings: Settings
    registry: Registry
    board: Board
    telemetry: Telemetry


@dataclass(slots=True)
class Exchange:
    """One request: its id, its arrival, and seconds by part (queue, compute, total)."""

    request_id: str
    arrival: Arrival
    seconds: dict[str, float] = field(default_factory=lambda: {"queue": 0.0, "compute": 0.0})


def attach(service: Service) -> None:
    """Make the parts known to the current app."""
    current_app.extensions[_KEY] = service


def service() -> Service:
    """Return the parts of the current app."""
    return cast(Service, current_app.extensions[_KEY])


def exchange() -> Exchange:
    """Return what belongs to the current request."""
    return cast(Exchange, g.exchange)
