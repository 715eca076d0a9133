"""256 sentences of twenty tokens a request, a few clients: what is left of the bare graph."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle, islice

from benchmarks.load.bench import Bench
from benchmarks.load.many_clients import RAW, raw
from benchmarks.load.plan import Load
from benchmarks.load.rows import Rounds, Row, Take, Theme, ratio, values

SENTENCES = 256
CLIENTS = (2, 3, 4)
_REQUESTS = 4


def _name(clients: int) -> str:
    return f"service, {SENTENCES} sentences a request, {clients} clients"


@contextmanager
def takes(bench: Bench) -> Iterator[Mapping[str, Take]]:
    """Start the servers and yield the measurements."""
    texts = cycle(bench.options.short)
    bodies = [({"text": list(islice(texts, SENTENCES))}, SENTENCES) for _ in range(_REQUESTS)]
    port = bench.tagger()
    requests = bench.answered(port, "/v1/tag", bodies)

    def take(clients: int) -> Take:
        load = Load(port, requests, clients=clients, seconds=bench.options.seconds)
        return lambda: bench.drive(load)

    yield {**{_name(clients): take(clients) for clients in CLIENTS}, RAW: raw(bench)}


def rows(rounds: Rounds) -> list[Row]:
    """Shares of the bare graph's rate."""
    found = []
    for clients in CLIENTS:
        name, is_asked = _name(clients), clients == CLIENTS[-1]
        found.append(
            Row(
                measure=f"{SENTENCES} sentences a request, {clients} clients: share of the bare graph",
                values=ratio(rounds, (name, "units_per_s"), (RAW, "units_per_s")),
                target=0.80 if is_asked else None,
                aim=0.92 if is_asked else None,
            )
        )
        found.append(Row(measure=f"{name}: sentences/s", values=values(rounds, name, "units_per_s"), unit="/s"))
    return found


THEME = Theme("bulk", "256 sentences a request against the bare graph", takes, rows)
