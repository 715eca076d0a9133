"""Real sentences of every length: batches of like length against batches in the order of arrival."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from benchmarks.load.bench import Bench
from benchmarks.load.plan import Load
from benchmarks.load.rows import Rounds, Row, Take, Theme, ratio, values
from benchmarks.load.texts import num_tokens

_SHAPES = ((1, 32), (64, 4))
"""Sentences a request, and clients."""
_VARIANTS = {"": "service", "arrival-order": "arrival order"}


def _name(variant: str, sentences: int, clients: int) -> str:
    return f"{_VARIANTS[variant]}, real sentences, {sentences} a request, {clients} clients"


@contextmanager
def takes(bench: Bench) -> Iterator[Mapping[str, Take]]:
    """Start the servers and yield the measurements."""
    texts = bench.options.mixed
    found: dict[str, Take] = {}
    for sentences, clients in _SHAPES:
        groups = [texts[at : at + sentences] for at in range(0, max(1, len(texts) - sentences + 1), sentences)]
        bodies = [({"text": list(group)}, sum(map(num_tokens, group))) for group in groups]
        requests = bench.answered(bench.tagger(), "/v1/tag", bodies)
        for variant in _VARIANTS:
            load = Load(bench.tagger(variant), requests, clients=clients, seconds=bench.options.seconds)
            found[_name(variant, sentences, clients)] = lambda load=load: bench.drive(load)  # type: ignore[misc]
    yield found


def rows(rounds: Rounds) -> list[Row]:
    """Tokens/s against those of batches in the order of arrival."""
    found = []
    for sentences, clients in _SHAPES:
        planned, in_order = (_name(variant, sentences, clients) for variant in _VARIANTS)
        found.append(
            Row(
                measure=f"mixed lengths, {sentences} a request, {clients} clients: against arrival order",
                values=ratio(rounds, (planned, "units_per_s"), (in_order, "units_per_s")),
                target=1.8,
                aim=2.5,
                unit="×",
            )
        )
        found += [
            Row(measure=f"{name}: tokens/s", values=values(rounds, name, "units_per_s"), unit="/s")
            for name in (planned, in_order)
        ]
    return found


THEME = Theme("mixed", "real sentences of every length against batches in arrival order", takes, rows)
