"""One hostile client after the other beside an honest one: it waits no longer than promised, and nothing is lost.

The hostile client comes from 127.0.0.2, the honest one from 127.0.0.1. Both run on the cores of the server, so the
honest client also waits for the cores that the hostile client takes.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.faults.beside import Honest, Seen, ratio
from benchmarks.faults.finding import Finding, Measure, none_of
from benchmarks.faults.hostile_clients import Deeds, Hostility, attack
from benchmarks.faults.hostilities import KEY, hostilities
from benchmarks.faults.known_answers import ask_alone, tag_drafts
from benchmarks.faults.plan import Plan
from benchmarks.faults.started import Started, started
from benchmarks.load.generator import generators
from benchmarks.load.plan import Request, post

MODELS = ("lm-char-en",)
"""Bundles that it needs beside the usual ones."""

_NUM_KNOWN = 32
_MOST_ROUNDS = 3
_MOST_SECONDS = 10.0
_MOST_MS, _AIM = 100.0, 1.5
_MOST_GROWTH_BYTES = 128 * 1024 * 1024
"""Of one worker: 64 MiB of accounted bytes (`max_buffered_bytes`), and as much for what is worked on."""


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one hostile client; `same_workers`: no worker was replaced."""

    hostility: Hostility
    alone: Seen
    beside: Seen
    deeds: Sequence[Deeds]
    same_workers: bool
    num_workers: int


def find(plan: Plan) -> Finding:
    """Run each hostile client, those that need keys on a service of their own."""
    rows: list[Row] = []
    all_of_them = hostilities(language_model(plan.models))
    with generators(2) as processes:
        for keys in (False, True):
            variables = {"SEQSERVE_API_KEYS": KEY} if keys else {}
            with started(plan.models, plan.settings) as service:
                known_answers = ask_alone(service.port, tag_drafts(_NUM_KNOWN))
            headers = {"Authorization": f"Bearer {KEY}"} if keys else {}
            requests = [Request(post(each.path, each.body, headers), 1, each.answer) for each in known_answers]
            with started(plan.models, plan.settings, variables=variables) as service:
                for hostility in all_of_them:
                    if hostility.keys == keys:
                        rows.append(_row(service, processes, requests, hostility, plan))
                        print(f"  {describe(rows[-1])}", flush=True)
    return Finding("hostile", tuple(measures(rows)), {row.hostility.name: figures(row) for row in rows})


def language_model(models: Path) -> str:
    """Return the name of the language model that is asked for large answers."""
    names = [each for each in MODELS if (models / each).is_dir()]
    return names[0] if names else sorted(each.name for each in models.iterdir() if each.name.startswith("lm-"))[0]


def _row(service: Started, processes: Executor, requests: Sequence[Request], hostility: Hostility, plan: Plan) -> Row:
    workers = service.workers
    honest = Honest(service, processes, requests, min(_MOST_SECONDS, plan.seconds))
    alone, beside, deeds = honest.in_turns(
        lambda seconds: processes.submit(attack, hostility, service.port, seconds), min(_MOST_ROUNDS, plan.rounds)
    )
    return Row(hostility, alone, beside, deeds, service.workers == workers, len(workers))


def measures(rows: Sequence[Row]) -> list[Measure]:
    """Return a promise for each hostile client, then those about all of them."""
    found = [_waits(row) for row in rows]
    replaced = [row.hostility.name for row in rows if not row.same_workers]
    probed = sum(len(row.beside.probes_s) + len(row.beside.ops_probes_s) for row in rows)
    slowest = max(rows, key=lambda row: row.beside.probes_p99_ms[1])
    ops_ms = slowest.beside.probes_p99_ms[1]
    found += [
        none_of("probes that failed beside them", sum(row.beside.num_probes_failed for row in rows), probed),
        Measure(
            "probes of the ops port, p99 beside any of them",
            f"≤ {_MOST_MS:.0f} ms",
            f"{ops_ms:.1f} ms ({slowest.hostility.name})",
            ops_ms <= _MOST_MS,
        ),
        Measure("the same workers at the end", "yes", ", ".join(replaced) or "yes", not replaced),
        _memory(rows),
    ]
    return found


def _waits(row: Row) -> Measure:
    p99_ms, num_failed = row.beside.quantile_ms(0.99), row.beside.num_failed
    return Measure(
        f"honest p99 beside: {row.hostility.name}",
        f"≤ {_MOST_MS:.0f} ms, 0 failed",
        describe(row, named=False),
        p99_ms <= _MOST_MS and not num_failed,
        f"{_AIM} × alone",
    )


def describe(row: Row, *, named: bool = True) -> str:
    """Return one line about a row."""
    alone_ms, beside_ms = row.alone.quantile_ms(0.99), row.beside.quantile_ms(0.99)
    main_ms, ops_ms = row.beside.probes_p99_ms
    line = (
        f"{beside_ms:.1f} ms, {ratio(beside_ms, alone_ms):.1f} × {alone_ms:.1f} ms alone "
        f"(p50 {row.beside.quantile_ms(0.5):.1f} of {row.alone.quantile_ms(0.5):.1f} ms); "
        f"{row.beside.num_failed} of {row.beside.num_answered + row.beside.num_failed:,} failed; "
        f"probes p99 {main_ms:.0f} and {ops_ms:.0f} ms; {row.beside.memory_bytes >> 20} MiB"
    )
    return f"{row.hostility.name}: {line}" if named else line


def _memory(rows: Sequence[Row]) -> Measure:
    before = min((row.alone.memory_bytes for row in rows), default=0)
    worst = max(rows, key=lambda row: row.beside.memory_bytes)
    limit = before + worst.num_workers * _MOST_GROWTH_BYTES
    return Measure(
        "memory of all processes",
        f"≤ {limit >> 20} MiB",
        f"{worst.beside.memory_bytes >> 20} MiB of {before >> 20} MiB undisturbed ({worst.hostility.name})",
        worst.beside.memory_bytes <= limit,
    )


def figures(row: Row) -> dict[str, Any]:
    """Return every number of a row."""
    return {
        "alone": row.alone.numbers(),
        "beside": row.beside.numbers(),
        "hostile": [each.numbers() for each in row.deeds],
        "same_workers": row.same_workers,
    }
