"""The WSGI application: what every request has in common, whatever its route."""

import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Flask, Request, Response, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from service import problems
from service.context import ARRIVED_AT, CLIENT_LEFT, FOR_OPERATORS, Exchange, Service, attach, exchange, service
from service.cores import available_cores
from service.engine.checks import check_bundles, choose_provider
from service.engine.models import QueueLimits, SlotLimits
from service.engine.opening import Checked, open_model, take_reported
from service.engine.patience import LOOK_AFTER_S, ClientLeftError, Patience
from service.engine.registry import Registry
from service.engine.reports import BundleReport
from service.errors import NotFoundError, RequestError, UnauthorizedError
from service.metrics import logs
from service.metrics.telemetry import Telemetry
from service.routes import classify, models, operation, rank, sample, score, tag, transduce
from service.server.client_gone import departure_of
from service.server.shared_state import SharedState
from service.settings import Settings

# Visible ASCII without what could end or quote a field of a log line.
_SANE_ID = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~:/=@-]{1,128}")
_TRACE = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""`traceparent` of W3C Trace Context."""
_PROTECTED = ("/v1/", "/v2/")
_UNKNOWN = "unknown"
_QUICK_RUN_S = 0.005
"""How long a run may hold up the loop. A sentence of 20 tokens of the largest model here takes 3 ms."""


def create_app(settings: Settings, *, registry: Registry | None = None, shared: SharedState | None = None) -> Flask:
    """Build everything that answers requests.

    Without a registry the bundles of `settings.models` are checked and opened here; raises BundleError.
    """
    if registry is None:
        registry = make_registry(settings)
        registry.open()
    app = _App("service", static_folder=None, template_folder=None)
    app.url_map.merge_slashes = False
    telemetry = Telemetry()
    registry.observe(telemetry)
    with app.app_context():
        attach(Service(settings, registry, shared or SharedState(), telemetry))
    for routes in (tag, score, rank, sample, classify, transduce, models, operation):
        app.register_blueprint(routes.blueprint)
    app.before_request(_begin)
    app.after_request(_finish)
    app.url_map.update()  # now, not in the first request
    app.register_error_handler(RequestError, problems.render)
    app.register_error_handler(HTTPException, problems.render_http)
    app.register_error_handler(ClientLeftError, lambda _: Response(status=CLIENT_LEFT, content_type="text/plain"))
    app.register_error_handler(Exception, problems.render_unexpected)
    return app


class _App(Flask):
    """Flask without what no route here needs, which took part of each request's time beside its graph."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Find routes by path and method alone: hosts mean nothing here, and no address is ever built."""
        if request is None:
            return None
        path = request.environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        return self.url_map.bind("", path_info=path, default_method=request.method)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function: none is asynchronous."""
        return func


def make_registry(
    settings: Settings, reports: Iterable[BundleReport] | None = None, known: Mapping[str, Checked] | None = None
) -> Registry:
    """Take the bundles that a check has reported; they are opened by the registry's `open`.

    reports: without them `settings.models` is checked in this process. known: bundles by name that are taken as they
    are when their report is the same. Raises BundleError.
    """
    provider = choose_provider(settings.provider)
    if reports is None:
        messages = check_bundles(settings.models, provider=provider)
        reports = [message for message in messages if isinstance(message, BundleReport)]
    checked = take_reported(reports, known)
    slots = SlotLimits(settings.max_samples, settings.max_waiting_samples)
    has_own_core = settings.num_workers >= available_cores()
    queue = QueueLimits(settings.max_queue_tokens, _QUICK_RUN_S if has_own_core else 0.0)
    return Registry(checked, lambda item: open_model(item, provider, queue, slots))


def _begin() -> None:
    environ, settings = request.environ, service().settings
    arrived_at = environ.get(ARRIVED_AT, time.monotonic())
    given = environ.get("HTTP_X_REQUEST_ID", "")
    trace = environ.get("HTTP_TRACEPARENT", "")
    g.exchange = Exchange(
        given if _SANE_ID.fullmatch(given) else secrets.token_hex(8),
        arrived_at,
        Patience(arrived_at + settings.deadline_s, departure_of(environ), arrived_at + LOOK_AFTER_S),
        trace if _TRACE.fullmatch(trace) else "",
    )
    if environ.get(FOR_OPERATORS) and request.blueprint != operation.blueprint.name:
        raise NotFoundError("This port answers probes and metrics only.")
    if settings.api_keys and f"{request.path}/".startswith(_PROTECTED):
        _check_key(settings.api_keys)


def _check_key(keys: tuple[str, ...]) -> None:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    presented = given.strip().encode("latin-1", "replace")  # WSGI's strings are bytes
    # Every key is compared, each in constant time, so that the time taken tells nothing.
    matches = [hmac.compare_digest(presented, key.encode()) for key in keys]
    if scheme.lower() != "bearer" or not any(matches):
        raise UnauthorizedError("This address needs Authorization: Bearer KEY with a key that is accepted here.")


def _finish(response: Response) -> Response:
    here = exchange()
    here.seconds["total"] = time.monotonic() - here.arrived_at
    headers = response.headers
    headers["X-Request-Id"] = here.request_id
    headers["Server-Timing"] = ", ".join(f"{part};dur={1000 * seconds:.3f}" for part, seconds in here.seconds.items())
    if here.traceparent:
        headers["traceparent"] = here.traceparent
    if response.is_streamed:  # its time ends with its last byte
        parts, environ = service(), request.environ
        rule = _rule()
        response.call_on_close(lambda: _record(parts, here, environ, rule, response))
    else:
        _record(service(), here, request.environ, _rule(), response)
    return response


def _rule() -> str:
    # The rule, not the path: paths are chosen by clients and would make endlessly many series.
    return request.url_rule.rule if request.url_rule else _UNKNOWN


def _record(parts: Service, here: Exchange, environ: dict[str, object], route: str, response: Response) -> None:
    """Count a request that was answered, and write its line."""
    here.seconds["total"] = time.monotonic() - here.arrived_at
    parts.telemetry.count_request(route, here.model, response.status_code, here.seconds)
    if parts.settings.access_log == "on":
        logs.write_access_line(
            logs.AccessLine(
                time=logs.now(),
                request_id=here.request_id,
                traceparent=here.traceparent,
                client=str(environ.get("REMOTE_ADDR", "")),
                method=str(environ["REQUEST_METHOD"]),
                route=route,
                model=here.model,
                status=response.status_code,
                bytes=response.content_length or 0,
                queue_ms=round(1000 * here.seconds["queue"], 3),
                compute_ms=round(1000 * here.seconds["compute"], 3),
                total_ms=round(1000 * here.seconds["total"], 3),
            )
        )
