"""The WSGI application: what every request has in common, whatever its route."""

import hmac
import re
import secrets
import time

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from service import arrival, problems
from service.board import Board
from service.context import Exchange, Service, attach, exchange, service
from service.engine.models import SlotLimits
from service.engine.opening import check_bundles, choose_provider, open_model
from service.engine.registry import Registry
from service.errors import RequestError, UnauthorizedError
from service.routes import classify, models, operation, rank, sample, score, tag, transduce
from service.settings import Settings
from service.telemetry import Telemetry

# Visible ASCII without what could end or quote a field of a log line.
_SANE_ID = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~:/=@-]{1,128}")
_PROTECTED = ("/v1/", "/v2/")


def create_app(settings: Settings, *, registry: Registry | None = None, board: Board | None = None) -> Flask:
    """Build everything that answers requests.

    Without a registry the bundles of `settings.models` are checked and opened here; raises BundleError.
    """
    if registry is None:
        registry = make_registry(settings)
        registry.open()
    app = Flask("service", static_folder=None, template_folder=None)
    app.url_map.merge_slashes = False
    telemetry = Telemetry()
    registry.observe_sampling(telemetry.sampling)
    with app.app_context():
        attach(Service(settings, registry, board or Board(), telemetry))
    for routes in (tag, score, rank, sample, classify, transduce, models, operation):
        app.register_blueprint(routes.blueprint)
    app.before_request(_begin)
    app.after_request(_finish)
    app.url_map.update()  # now, not in the first request
    app.register_error_handler(RequestError, problems.render)
    app.register_error_handler(HTTPException, problems.render_http)
    app.register_error_handler(Exception, problems.render_unexpected)
    return app


def make_registry(settings: Settings) -> Registry:
    """Check the bundles of `settings.models`; they are opened by the registry's `open`. Raises BundleError."""
    provider = choose_provider(settings.provider)
    checked = check_bundles(settings.models, provider=provider)
    slots = SlotLimits(settings.max_samples, settings.max_waiting_samples)
    return Registry(
        checked,
        lambda item: open_model(item, provider=provider, max_queue_tokens=settings.max_queue_tokens, slots=slots),
    )


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    way_in = arrival.take()
    g.exchange = Exchange(given if _SANE_ID.fullmatch(given) else secrets.token_hex(8), way_in)
    exchange().seconds["queue"] = max(0.0, way_in.reading_since - way_in.at)
    if request.method in ("GET", "HEAD", "OPTIONS"):
        exchange().arrival.is_read = True
    keys = service().settings.api_keys
    if keys and f"{request.path}/".startswith(_PROTECTED):
        _check_key(keys)


def _check_key(keys: tuple[str, ...]) -> None:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    presented = given.strip().encode("latin-1", "replace")  # WSGI's strings are bytes
    # Every key is compared, each in constant time, so that the time taken tells nothing.
    matches = [hmac.compare_digest(presented, key.encode()) for key in keys]
    if scheme.lower() != "bearer" or not any(matches):
        raise UnauthorizedError("This address needs Authorization: Bearer KEY with a key that is accepted here.")


def _finish(response: Response) -> Response:
    here = exchange()
    here.seconds["total"] = time.monotonic() - here.arrival.at
    response.headers["X-Request-Id"] = here.request_id
    response.headers["Server-Timing"] = ", ".join(
        f"{part};dur={1000 * seconds:.3f}" for part, seconds in here.seconds.items()
    )
    # The rule, not the path: paths are chosen by clients and would make endlessly many series.
    route = request.url_rule.rule if request.url_rule else "unknown"
    telemetry = service().telemetry
    if response.is_streamed:  # its time ends with its last byte
        response.call_on_close(lambda: _count(telemetry, route, response.status_code, here))
    else:
        telemetry.count_request(route, response.status_code, here.seconds)
    return response


def _count(telemetry: Telemetry, route: str, status: int, here: Exchange) -> None:
    here.seconds["total"] = time.monotonic() - here.arrival.at
    telemetry.count_request(route, status, here.seconds)
