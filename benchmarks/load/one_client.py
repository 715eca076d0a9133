"""One client alone, one sentence of twenty tokens a request: what batching costs where nothing can be shared."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from benchmarks.load.bench import Bench
from benchmarks.load.many_clients import closed_loop
from benchmarks.load.rows import Rounds, Row, Take, Theme, ratio, values

_NAMES = {
    "": "service, one client",
    "unbatched": "no batching, one client",
    "threads": "a model run per thread, one client",
    "noop": "no-op, one client",
}


@contextmanager
def takes(bench: Bench) -> Iterator[Mapping[str, Take]]:
    """Start the servers and yield the measurements."""
    yield {name: closed_loop(bench, variant, clients=1) for variant, name in _NAMES.items()}


def rows(rounds: Rounds) -> list[Row]:
    """Medians of latency against those without batching."""
    return [
        Row(
            measure="one client: p50 with batching against without",
            values=ratio(rounds, (_NAMES[""], "p50_ms"), (_NAMES["unbatched"], "p50_ms")),
            target=1.05,
            aim=1.0,
            at_most=True,
            unit="×",
        ),
        Row(
            measure="one client: p50 against each thread running the model itself",
            values=ratio(rounds, (_NAMES[""], "p50_ms"), (_NAMES["threads"], "p50_ms")),
            unit="×",
        ),
        *(Row(measure=f"{name}: p50", values=values(rounds, name, "p50_ms"), unit="ms") for name in _NAMES.values()),
    ]


THEME = Theme("one-client", "latency of a lone client with and without batching", takes, rows)
