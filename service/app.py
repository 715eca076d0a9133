"""The WSGI application: the steps that the requests of all routes share."""

import functools
import random
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Flask
from werkzeug.exceptions import MethodNotAllowed, NotFound

from seqserve.errors import NotFoundError, RequestError
from seqserve.service import problems
from seqserve.service.answers import STATUS_LINES, Answer, PiecedBody, WholeBody
from seqserve.service.clients import Clients
from seqserve.service.context import (
    ARRIVED_AT,
    CLIENT,
    FOR_OPERATORS,
    HAS_LEFT,
    REFUSED,
    SERVICE,
    Exchange,
    Service,
    enter,
)
from seqserve.service.cores import available_cores
from seqserve.service.engine.cancellation import LOOK_AFTER_S, Cancellation, ClientLeftError
from seqserve.service.engine.checks import check_bundles, choose_provider
from seqserve.service.engine.models import QueueLimits, SlotLimits
from seqserve.service.engine.open_models import Checked, take_reported
from seqserve.service.engine.registry import Registry
from seqserve.service.engine.reports import BundleReport
from seqserve.service.kinds import open_model
from seqserve.service.metrics import logs
from seqserve.service.metrics.telemetry import Telemetry
from seqserve.service.openapi import document
from seqserve.service.routes.operation import METRICS
from seqserve.service.routes.route import Route
from seqserve.service.routes.table import ROUTES
from seqserve.service.server.shared_state import SharedState
from seqserve.service.settings import Settings

# Visible ASCII without characters that could end or quote a field of a log line.
_SANE_ID = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~:/=@-]{1,128}")
_TRACE = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""`traceparent` of W3C Trace Context."""
_LEFT = 499
_QUICK_RUN_S = 0.005
"""The longest run that is made in the loop. A sentence of 20 tokens of the largest model here takes 3 ms."""


def create_app(
    settings: Settings,
    *,
    registry: Registry | None = None,
    shared: SharedState | None = None,
    telemetry: Telemetry | None = None,
) -> Flask:
    """Build everything that answers requests.

    Without a registry the bundles of `settings.models` are checked and opened here; raises BundleError.
    """
    if registry is None:
        registry = make_registry(settings)
        registry.open()
    telemetry = telemetry or Telemetry()
    registry.observe(telemetry)
    describe = functools.cache(lambda: document(ROUTES))
    app = _App(Service(settings, registry, shared or SharedState(), telemetry, Clients(settings), describe))
    for route in ROUTES:
        app.add_url_rule(route.rule, route.name, methods=[route.method])
    app.url_map.update()  # now, not in the first request
    return app


class _App(Flask):
    """Flask's routes, without its dispatch: contexts, signals and sessions took a third of a request's own time.

    A view takes the parts of its path and returns an Answer; `exchange()` holds the request.
    """

    def __init__(self, parts: Service) -> None:
        super().__init__("service", static_folder=None, template_folder=None)
        self.extensions[SERVICE] = parts
        self.url_map.merge_slashes = False
        self._parts = parts
        self._routes = {route.name: route for route in ROUTES}
        self._known: dict[tuple[str, str], Route] = {}  # by method and path, of addresses without variable parts

    def wsgi_app(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """Answer a request."""
        here = _begin(self._parts, environ)
        enter(here)
        try:
            answer = self._answer(here, environ)
        except RequestError as error:
            answer = problems.render(error)
        except (NotFound, MethodNotAllowed) as error:
            answer = problems.render_unmatched(error)
        except ClientLeftError:
            answer = Answer(b"", status=_LEFT, content_type="text/plain")
        except Exception as error:
            answer = problems.render_unexpected(error)
        headers = _headers(here, answer)
        start_response(STATUS_LINES[answer.status], headers)
        if not isinstance(answer.body, bytes):  # a stream is recorded after its last piece
            here.at_end.append(lambda: _record(here, answer))
            return PiecedBody(answer.body, here.end)
        _record(here, answer)
        return WholeBody(answer.body, here.end) if here.at_end else [answer.body]

    def _answer(self, here: Exchange, environ: dict[str, Any]) -> Answer:
        for_operators = environ.get(FOR_OPERATORS, False)
        if REFUSED in environ:
            raise environ[REFUSED]
        if CLIENT not in environ and not for_operators:  # no worker of ours has looked at the head
            here.cancellation = here.cancellation.of(self._parts.clients.client_of(environ))
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        values: Mapping[str, Any] = {}
        try:
            route = self._known.get((method, path))
            if route is None:
                route, values = self._match(method, path)
        except (NotFound, MethodNotAllowed):
            if for_operators:
                raise _not_for_operators() from None
            raise
        here.route = route.rule  # not the path, which clients choose: it names the request in metrics
        if for_operators and not route.is_for_operators:
            raise _not_for_operators()
        if route.rule == METRICS and not for_operators and self._parts.settings.ops_port >= 0:
            raise NotFoundError("Metrics are at the port of their own (ops_port).")
        return route.view(**values)

    def _match(self, method: str, path: str) -> tuple[Route, Mapping[str, Any]]:
        """Find a route and the variable parts of its address; raises NotFound and MethodNotAllowed."""
        adapter = self.url_map.bind("", path_info=path.encode("latin-1").decode("utf-8", "replace"))
        rule, values = adapter.match(method=method, return_rule=True)
        if method == "OPTIONS":
            allowed = ", ".join(sorted(adapter.allowed_methods()))
            answer = Answer(b"", content_type="text/plain", headers=[("Allow", allowed)])
            return Route(lambda **_: answer, method, rule.rule, "", "text/plain"), {}
        route = self._routes[rule.endpoint]
        if not rule.arguments:
            self._known[method, path] = route
        return route, values


def _not_for_operators() -> NotFoundError:
    return NotFoundError("This port answers probes and metrics only.")


def make_registry(
    settings: Settings, reports: Iterable[BundleReport] | None = None, known: Mapping[str, Checked] | None = None
) -> Registry:
    """Return the registry of the bundles that a check has reported; its `open` opens them.

    reports: without them `settings.models` is checked in this process. known: bundles by name that are reused when
    their report is the same. Raises BundleError, and UsageError when the model of a set default is missing.
    """
    provider = choose_provider(settings.provider)
    if reports is None:
        messages = check_bundles(settings.models, provider=provider)
        reports = [message for message in messages if isinstance(message, BundleReport)]
    checked = take_reported(reports, known)
    slots = SlotLimits(settings.max_samples, settings.max_waiting_samples, settings.client_share)
    has_own_core = settings.num_workers >= available_cores()
    queue = QueueLimits(settings.max_queue_tokens, _QUICK_RUN_S if has_own_core else 0.0, settings.client_share)
    return Registry(checked, lambda item: open_model(item, provider, queue, slots), dict(settings.default))


def _begin(parts: Service, environ: dict[str, Any]) -> Exchange:
    arrived_at = environ.get(ARRIVED_AT) or time.monotonic()
    given = environ.get("HTTP_X_REQUEST_ID", "")
    trace = environ.get("HTTP_TRACEPARENT", "")
    deadline, looks_at = arrived_at + parts.settings.deadline_s, arrived_at + LOOK_AFTER_S
    return Exchange(
        parts,
        environ,
        given if given and _SANE_ID.fullmatch(given) else f"{random.getrandbits(64):016x}",
        arrived_at,
        Cancellation(deadline, environ.get(HAS_LEFT), looks_at, environ.get(CLIENT, "")),
        trace if trace and _TRACE.fullmatch(trace) else "",
    )


def _headers(here: Exchange, answer: Answer) -> list[tuple[str, str]]:
    total_ms = 1000 * (time.monotonic() - here.arrived_at)
    timing = f"queue;dur={1000 * here.queue_s:.3f}, compute;dur={1000 * here.compute_s:.3f}, total;dur={total_ms:.3f}"
    headers = [("Content-Type", answer.content_type), *answer.headers, ("X-Request-Id", here.request_id)]
    headers.append(("Server-Timing", timing))
    if here.traceparent:
        headers.append(("traceparent", here.traceparent))
    return headers


def _record(here: Exchange, answer: Answer) -> None:
    """Count an answered request, and log its line if access_log is on."""
    parts, environ = here.service, here.environ
    seconds = {"queue": here.queue_s, "compute": here.compute_s, "total": time.monotonic() - here.arrived_at}
    parts.telemetry.count_request(here.route, here.model, answer.status, seconds)
    if parts.settings.access_log == "on":
        logs.write_access_line(
            logs.AccessLine(
                time=logs.now(),
                request_id=here.request_id,
                traceparent=here.traceparent,
                client=str(environ.get("REMOTE_ADDR", "")),
                method=str(environ["REQUEST_METHOD"]),
                route=here.route,
                model=here.model,
                status=answer.status,
                bytes=len(answer.body) if isinstance(answer.body, bytes) else 0,
                queue_ms=round(1000 * here.queue_s, 3),
                compute_ms=round(1000 * here.compute_s, 3),
                total_ms=round(1000 * seconds["total"], 3),
            )
        )
