"""The routes for operators: probes, metrics, and the description of all routes."""

import math
from typing import Literal

from msgspec import Struct

from seqserve.service.answers import Answer, json_answer
from seqserve.service.context import exchange
from seqserve.service.engine.event_loop import run_in_thread
from seqserve.service.engine.registry import NOT_READY_RETRY_S
from seqserve.service.errors import NotReadyError, ShuttingDownError
from seqserve.service.routes.route import Route

METRICS = "/metrics"


class Health(Struct, kw_only=True):
    """The process lives, or every model is ready."""

    status: Literal["ok", "ready"]


def healthz() -> Answer:
    """Answer that the process lives."""
    return json_answer(Health(status="ok"))


def readyz() -> Answer:
    """Answer whether every model is open and the server is not draining."""
    here = exchange().service
    if here.shared.is_draining:
        wait_s = max(1, math.ceil(here.shared.drain_left_s))
        raise ShuttingDownError("The server is shutting down.", retry_after_s=wait_s)
    if missing := ", ".join(here.registry.missing):
        raise NotReadyError(f"These models are still being opened: {missing}.", retry_after_s=NOT_READY_RETRY_S)
    return json_answer(Health(status="ready"))


def metrics() -> Answer:
    """Return the numbers of all workers for Prometheus."""
    data, content_type = run_in_thread(exchange().service.telemetry.render)
    return Answer(data, content_type=content_type)


def openapi() -> Answer:
    """Describe every route."""
    return Answer(exchange().service.describe())


ROUTES = (
    Route(healthz, "GET", "/healthz", "200 while the process lives.", Health, is_for_operators=True),
    Route(
        readyz,
        "GET",
        "/readyz",
        "200 when every model is open and the server is not draining.",
        Health,
        errors=("not_ready", "shutting_down"),
        is_for_operators=True,
    ),
    Route(metrics, "GET", METRICS, "Numbers for Prometheus.", "text/plain", is_for_operators=True),
    Route(openapi, "GET", "/openapi.json", "This description.", "application/json", is_for_operators=True),
)
