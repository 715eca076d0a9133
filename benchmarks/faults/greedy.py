"""One greedy client beside an honest one: it gets its share of the service and no more.

The greedy client comes from 127.0.0.2, the honest one from 127.0.0.1, and asks on one connection. Each request of the
greedy client is one that the service takes; only their number is beyond measure.
"""

import dataclasses
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from benchmarks.faults.beside import Honest, Seen, ratio
from benchmarks.faults.finding import Finding, Measure
from benchmarks.faults.hostile_clients import SOURCE
from benchmarks.faults.known_answers import Draft, ask_alone, sentences, tag_drafts, wire_of
from benchmarks.faults.plan import Plan
from benchmarks.faults.started import Started, started
from benchmarks.load.generator import drive, generators
from benchmarks.load.plan import Load, Outcome, Request, post_json

MODELS = ("lm-char-en", "translate-en-fr")
"""Bundles that it needs beside the usual ones."""

_NUM_KNOWN = 32
_MOST_ROUNDS = 3
_MOST_SECONDS = 10.0
_MOST, _AIM = 3.0, 2.0
_GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class Greed:
    """A greedy client: one request over and over on each of its connections, beside an honest one with `honest`."""

    name: str
    connections: int
    path: str
    body: dict[str, Any]
    honest: Sequence[Draft]


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one greedy client; `greedy` is what it got each time."""

    greed: Greed
    alone: Seen
    beside: Seen
    greedy: Sequence[Outcome]


def greeds() -> list[Greed]:
    """Return all greedy clients."""
    sample = {"model": MODELS[0], "prompt": "The ", "max_tokens": 16, "ignore_eos": True, "seed": 1}
    texts = sentences(16)
    tags = tag_drafts(_NUM_KNOWN)
    beams = {"text": texts, "beams": 16, "max_tokens": 512}
    draws = {"model": MODELS[0], "n": 64, "max_tokens": 4096, "ignore_eos": True}
    return [
        Greed("12 × 20,000 tokens", 12, "/v1/tag", {"text": "a " * 20_000}, tags),
        Greed("64 × 1,000 tokens", 64, "/v1/tag", {"text": "a " * 1_000}, tags),
        Greed("600 × 16 sentences", 600, "/v1/tag", {"text": texts}, tags),
        Greed("64 × 16 texts × 16 beams × 512 tokens", 64, "/v1/transduce", beams, [_transduce(texts[0])]),
        Greed("8 × 64 samples × 4,096 tokens", 8, "/v1/sample", draws, [("/v1/sample", sample)]),
    ]


def _transduce(text: str) -> Draft:
    return "/v1/transduce", {"text": text}


def find(plan: Plan) -> Finding:
    """Run each greedy client on a service of its own: what one has queued would be answered beside the next."""
    rows: list[Row] = []
    with generators(2) as processes:
        for greed in greeds():
            with started(plan.models, plan.settings) as service:
                rows.append(_row(service, processes, greed, plan))
            print(f"  {greed.name}: {describe(rows[-1])}", flush=True)
    return Finding("greedy", tuple(measure(row) for row in rows), {row.greed.name: figures(row) for row in rows})


def _row(service: Started, processes: Executor, greed: Greed, plan: Plan) -> Row:
    requests = [wire_of(each) for each in ask_alone(service.port, greed.honest)]
    honest = Honest(service, processes, requests, min(_MOST_SECONDS, plan.seconds))
    load = Load(
        service.port,
        [Request(post_json(greed.path, greed.body))],
        clients=greed.connections,
        warm_up_s=0.0,
        grace_s=_GRACE_S,
        source=SOURCE,
    )
    alone, beside, outcomes = honest.in_turns(
        lambda seconds: processes.submit(drive, dataclasses.replace(load, seconds=seconds)),
        min(_MOST_ROUNDS, plan.rounds),
    )
    return Row(greed, alone, beside, outcomes)


def measure(row: Row) -> Measure:
    """Return the promise about one greedy client."""
    times = ratio(row.beside.quantile_ms(0.99), row.alone.quantile_ms(0.99))
    return Measure(
        f"honest p99 beside: {row.greed.name}",
        f"≤ {_MOST:.0f} × alone, 0 refused",
        describe(row),
        times <= _MOST and not row.beside.num_failed,
        f"{_AIM:.0f} ×",
    )


def describe(row: Row) -> str:
    """Return what the honest client saw, and what the greedy one got."""
    alone_ms, beside_ms = row.alone.quantile_ms(0.99), row.beside.quantile_ms(0.99)
    seconds = sum(each.seconds for each in row.greedy) or 1.0
    rate = sum(len(each.good_s) for each in row.greedy) / seconds
    refused = sum(len(each.other_s) for each in row.greedy) / seconds
    return (
        f"{ratio(beside_ms, alone_ms):.1f} × ({beside_ms:.1f} of {alone_ms:.1f} ms; p50 "
        f"{row.beside.quantile_ms(0.5):.1f} of {row.alone.quantile_ms(0.5):.1f}); {row.beside.num_failed} of "
        f"{row.beside.num_answered + row.beside.num_failed:,} failed; greedy {rate:.1f}/s, refused {refused:.0f}/s"
    )


def figures(row: Row) -> dict[str, Any]:
    """Return every number of a row."""
    return {
        "alone": row.alone.numbers(),
        "beside": row.beside.numbers(),
        "greedy": [each.numbers() for each in row.greedy],
    }
