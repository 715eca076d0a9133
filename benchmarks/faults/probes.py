"""Probes and metrics while the service has all the work that it can do."""

import http.client
import time
from concurrent.futures import Future
from typing import Any

from benchmarks.faults.finding import Finding, Measure, none_of
from benchmarks.faults.known_answers import ask_alone, tag_drafts, wire_of
from benchmarks.faults.plan import Plan
from benchmarks.faults.started import started
from benchmarks.load.generator import drive, generators
from benchmarks.load.plan import Load
from benchmarks.load.statistics import quantile

_NUM_KNOWN = 64
_NUM_CLIENTS = 32
_ROUTES = ("/healthz", "/readyz", "/metrics")
_EVERY_S = 0.02
_WARM_UP_S = 1.0
_LIMIT_S = 10.0
_MOST_MS, _AIM_MS = 50.0, 10.0


def find(plan: Plan) -> Finding:
    """Probe both ports in turn, on a new connection each time as orchestrators do, beside 32 clients."""
    with started(plan.models, plan.settings) as service, generators(1) as processes:
        requests = [wire_of(each) for each in ask_alone(service.port, tag_drafts(_NUM_KNOWN))]
        load = Load(service.port, requests, clients=_NUM_CLIENTS, seconds=plan.seconds, warm_up_s=_WARM_UP_S)
        places = {
            f"{route}, {name} port": (port, route)
            for name, port in (("main", service.port), ("ops", service.ops_port))
            for route in _ROUTES
            if (route, name) != ("/metrics", "main")  # with a port of their own, metrics are there only
        }
        # The generator's process is there before the first probe counts.
        processes.submit(int).result()
        under_way = processes.submit(drive, load)
        time.sleep(_WARM_UP_S)
        latencies, num_failed = _probe(places, under_way)
        outcome = under_way.result()
        service.check_alive()
    num_probes = sum(map(len, latencies.values()))
    measures = [_measure(name, taken) for name, taken in latencies.items()]
    unanswered = len(outcome.other_s) + outcome.num_broken + outcome.num_hung
    figures: dict[str, Any] = {"load": outcome.numbers()}
    for name, taken in latencies.items():
        ordered = sorted(taken)
        figures[name] = {f"p{part}_ms": quantile(ordered, part / 100) for part in (50, 99, 100)} | {"num": len(taken)}
    return Finding(
        "probes",
        (
            *measures,
            none_of("probes that failed", num_failed, num_probes),
            none_of("requests of the load without a good answer", unanswered, unanswered + len(outcome.good_s)),
            none_of("wrong answers", outcome.num_different, len(outcome.good_s)),
        ),
        figures,
    )


def _probe(places: dict[str, tuple[int, str]], load: "Future[Any]") -> tuple[dict[str, list[float]], int]:
    """Milliseconds of each probe by its place, while the load goes on, and how many were not answered with 200."""
    latencies: dict[str, list[float]] = {name: [] for name in places}
    num_failed = 0
    while not load.done():
        for name, (port, route) in places.items():
            started_at = time.perf_counter()
            num_failed += not is_fine(port, route)
            latencies[name].append(1000 * (time.perf_counter() - started_at))
            time.sleep(_EVERY_S)
    return latencies, num_failed


def is_fine(port: int, route: str) -> bool:
    """Whether a route answers 200 there, on a new connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_LIMIT_S)
    try:
        connection.request("GET", route)
        answer = connection.getresponse()
        answer.read()
        return answer.status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _measure(name: str, taken: list[float]) -> Measure:
    p99_ms = quantile(sorted(taken), 0.99)
    seen = f"{p99_ms:.1f} ms of {len(taken)}"
    return Measure(
        f"{name}: p99 beside {_NUM_CLIENTS} clients",
        f"{_MOST_MS:.0f} ms",
        seen,
        p99_ms <= _MOST_MS,
        f"{_AIM_MS:.0f} ms",
    )
