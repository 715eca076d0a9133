"""The cost of the layers above the engine: a no-op beside gunicorn's worker, a constant answer, another checkout."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from benchmarks.load.bench import Bench, Server
from benchmarks.load.many_clients import CLIENTS, RATE
from benchmarks.load.plan import Load, Request
from benchmarks.load.rows import Rounds, Row, Take, Theme, ratio, values

_NOOP = f"no-op, {CLIENTS} clients"
_STOCK = f"no-op under gunicorn's gevent worker, {CLIENTS} clients"
_CONSTANT = f"a constant answer, {CLIENTS} clients"
_OTHER = f"no-op of the other checkout, {CLIENTS} clients"


@contextmanager
def takes(bench: Bench) -> Iterator[Mapping[str, Take]]:
    """Start the servers and yield the measurements."""
    bundle = bench.options.tagger
    servers = {
        _NOOP: Server(bundle, "noop"),
        _STOCK: Server(bundle, "stock-gevent"),
        _CONSTANT: Server(bundle, "constant"),
    }
    if bench.options.against is not None:
        servers[_OTHER] = Server(bundle, "noop", checkout=bench.options.against)
    found: dict[str, Take] = {}
    for name, server in servers.items():
        requests = bench.short_requests
        if name == _CONSTANT:
            requests = [Request(each.wire) for each in requests]
        load = Load(bench.running(server).port, requests, clients=CLIENTS, seconds=bench.options.seconds)
        found[name] = lambda load=load: bench.drive(load)  # type: ignore[misc]
    yield found


def rows(rounds: Rounds) -> list[Row]:
    """Rates, and the no-op's against the others'."""
    against = Row(
        measure=f"no-op at {CLIENTS} clients: against the other checkout's",
        values=ratio(rounds, (_NOOP, RATE), (_OTHER, RATE)),
        target=1.9,
        aim=2.6,
        unit="×",
    )
    rates = [
        Row(measure=f"{name}: requests/s", values=values(rounds, name, RATE), unit="/s")
        for name in (_NOOP, _STOCK, _CONSTANT, _OTHER)
    ]
    return [row for row in (against, *rates) if row.values]


THEME = Theme("layers", "the no-op beside gunicorn's worker, a constant answer and --against", takes, rows)
