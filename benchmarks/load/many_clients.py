"""32 clients, one sentence of twenty tokens a request: throughput and latency of the service and its variants."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from benchmarks.load.bench import Bench
from benchmarks.load.plan import Load
from benchmarks.load.rows import Numbers, Rounds, Row, Take, Theme, ratio, shares, values

CLIENTS = 32
SERVICE = f"service, {CLIENTS} clients"
NOOP = f"no-op, {CLIENTS} clients"
NO_ENGINE = f"no-op without engine, {CLIENTS} clients"
THREADS = f"a model run per thread, {CLIENTS} clients"
RAW = "bare graph, 2 processes, batches of 8"
RATE = "requests_per_s"
_OPEN = {"service": "service, half its rate", "noop": "no-op, half the service's rate"}
_CALIBRATION_S = 1.5
_HALF = 0.5


def closed_loop(bench: Bench, variant: str, clients: int = CLIENTS) -> Callable[[], Numbers]:
    """A measurement of short requests from clients that wait for their answers."""
    port, requests = bench.tagger(variant), bench.short_requests
    load = Load(port, requests, clients=clients, seconds=bench.options.seconds)
    return lambda: bench.drive(load)


def raw(bench: Bench) -> Take:
    """A measurement of the bare graph."""
    graph = bench.raw
    return lambda: {"units_per_s": graph.sentences_per_s(bench.options.seconds)}


@contextmanager
def throughput_takes(bench: Bench) -> Iterator[Mapping[str, Take]]:
    """Start the servers and yield the measurements."""
    yield {
        SERVICE: closed_loop(bench, ""),
        NOOP: closed_loop(bench, "noop"),
        NO_ENGINE: closed_loop(bench, "no-engine"),
        THREADS: closed_loop(bench, "threads"),
        RAW: raw(bench),
    }


def additive_share(round_: Mapping[str, Numbers], noop: str = NOOP) -> float:
    """The service's rate over 1 / (1/R_noop + 1/R_raw)."""
    return round_[SERVICE][RATE] * (1 / round_[noop][RATE] + 1 / round_[RAW]["units_per_s"])


def throughput_rows(rounds: Rounds) -> list[Row]:
    """Rates, and what they are of what is possible."""
    by_name = [
        Row(measure=f"{name}: requests/s", values=values(rounds, name, RATE), unit="/s")
        for name in (SERVICE, NOOP, NO_ENGINE, THREADS)
    ]
    return [
        Row(
            measure=f"{CLIENTS} clients: share of the additive bound",
            values=shares(rounds, additive_share),
            target=0.85,
            aim=0.95,
        ),
        Row(
            measure=f"{CLIENTS} clients: the same, of a no-op that has no batcher",
            values=shares(rounds, lambda each: additive_share(each, NO_ENGINE)),
        ),
        Row(
            measure=f"{CLIENTS} clients: against each thread running the model itself",
            values=ratio(rounds, (SERVICE, RATE), (THREADS, RATE)),
            target=1.3,
            aim=1.5,
            unit="×",
        ),
        *by_name,
        Row(measure=f"{RAW}: sentences/s", values=values(rounds, RAW, "units_per_s"), unit="/s"),
    ]


@contextmanager
def latency_takes(bench: Bench) -> Iterator[Mapping[str, Take]]:
    """Closed loops of both, and open loops at half of what the service has just been seen to answer."""
    closed = {SERVICE: closed_loop(bench, ""), NOOP: closed_loop(bench, "noop")}
    first = Load(bench.tagger(), bench.short_requests, clients=CLIENTS, seconds=_CALIBRATION_S)
    rate = _HALF * bench.drive(first)[RATE]

    def at_half(variant: str) -> Take:
        load = Load(bench.tagger(variant), bench.short_requests, rate=rate, seconds=bench.options.seconds)
        return lambda: bench.drive(load)

    yield {**closed, _OPEN["service"]: at_half(""), _OPEN["noop"]: at_half("noop")}


def latency_rows(rounds: Rounds) -> list[Row]:
    """Tails against the no-op's, and what a closed loop makes of them.

    With every client waiting, mean latency is clients over rate: a p99 ratio holds the ratio of the rates in it.
    """
    rows = [
        Row(
            measure=f"{CLIENTS} clients: p99 against the no-op's p99",
            values=ratio(rounds, (SERVICE, "p99_ms"), (NOOP, "p99_ms")),
            target=1.5,
            aim=1.2,
            at_most=True,
            unit="×",
        ),
        Row(
            measure=f"{CLIENTS} clients: mean against the no-op's mean (the inverse ratio of the rates)",
            values=ratio(rounds, (SERVICE, "mean_ms"), (NOOP, "mean_ms")),
            unit="×",
        ),
    ]
    for name in (SERVICE, NOOP):
        rows.append(
            Row(measure=f"{name}: p99 over mean", values=ratio(rounds, (name, "p99_ms"), (name, "mean_ms")), unit="×")
        )
        rows.append(Row(measure=f"{name}: p99", values=values(rounds, name, "p99_ms"), unit="ms"))
    rows.append(
        Row(
            measure="open loop at half the service's rate: p99 against the no-op's p99",
            values=ratio(rounds, (_OPEN["service"], "p99_ms"), (_OPEN["noop"], "p99_ms")),
            unit="×",
        )
    )
    for name in _OPEN.values():
        rows += [
            Row(measure=f"{name}: {number[:3]}", values=values(rounds, name, number), unit="ms")
            for number in ("p50_ms", "p99_ms")
        ]
    return rows


THROUGHPUT = Theme("throughput", "32 clients, one 20-token sentence a request", throughput_takes, throughput_rows)
LATENCY = Theme("latency", "p99 at 32 clients, and at half the rate, against a no-op", latency_takes, latency_rows)
