"""Ten times what the service can do, offered at a steady rate: it answers what it can and refuses the rest at once."""

import math
from concurrent.futures import Executor, Future, wait
from typing import Any

from benchmarks.faults.finding import Finding, Measure, none_of
from benchmarks.faults.plan import Plan
from benchmarks.faults.questions import ask_alone, tag_drafts, wire_of
from benchmarks.faults.started import Started, started
from benchmarks.faults.watched import Watch, drive_watched
from benchmarks.footprint import memory_of
from benchmarks.load.generator import drive, generators
from benchmarks.load.plan import Load, Outcome, Request
from benchmarks.load.statistics import quantile

_NUM_QUESTIONS = 64
_PEAK_CLIENTS = 32
_LONGEST_PEAK_S = 10.0
_TIMES = 10
_TEXTS_EACH = (1, 16)
_LEAST, _AIM = 0.90, 0.98
_REFUSED_WITHIN_MS = 50.0
_FLAT = 1.05
_LOOK_S = 1.0


def find(plan: Plan) -> Finding:
    """Overload with one sentence a request, then with sixteen, each on a service of its own."""
    measures: list[Measure] = []
    figures: dict[str, Any] = {}
    with generators(1) as processes:
        for texts_each in _TEXTS_EACH:
            with started(plan.house, plan.settings) as service:
                questions = ask_alone(service.port, tag_drafts(_NUM_QUESTIONS, texts_each=texts_each))
                requests = [wire_of(question, units=texts_each) for question in questions]
                name = "1 sentence a request" if texts_each == 1 else f"{texts_each} sentences a request"
                found, numbers = _overload(service, processes, requests, plan.seconds)
                measures += [
                    Measure(f"{name}: {each.what}", each.at_least, each.seen, each.holds, each.aim) for each in found
                ]
                figures[name] = numbers
    return Finding("overload", tuple(measures), figures)


def _overload(
    service: Started, processes: Executor, requests: list[Request], seconds: float
) -> tuple[list[Measure], dict[str, Any]]:
    peak_s = min(_LONGEST_PEAK_S, seconds)
    closed = Load(service.port, requests, clients=_PEAK_CLIENTS, seconds=peak_s, warm_up_s=min(2.0, peak_s))
    peak = processes.submit(drive, closed).result()
    peak_rate = len(peak.good_s) / peak.seconds
    before = memory_of(service.process.pid).pss_bytes
    offered = Load(service.port, requests, rate=_TIMES * peak_rate, seconds=seconds)
    under_way = processes.submit(drive_watched, offered)
    memory = _memory_until_done(service, under_way)
    outcome, watch = under_way.result()
    service.check_alive()
    after = processes.submit(drive, closed).result()
    numbers = {
        "peak": peak.numbers(),
        "offered_per_s": offered.rate,
        "overload": outcome.numbers(),
        "peak_after": after.numbers(),
        "memory_before_bytes": before,
        "memory_bytes": memory,
        "first_bad_refusal": watch.first_bad,
    }
    good_rate = watch.good_per_s(offered)
    numbers["good_per_s"] = good_rate
    return [_goodput(good_rate, peak_rate), *_refusals(outcome, watch), _memory(before, memory, seconds)], numbers


def _goodput(good_rate: float, peak_rate: float) -> Measure:
    share = good_rate / peak_rate
    seen = f"{share:.2f} ({good_rate:.0f}/s of {peak_rate:.0f}/s)"
    return Measure(
        f"good answers/s of the peak, {_TIMES} × offered", f"{_LEAST:.2f}", seen, share >= _LEAST, f"{_AIM:.2f}"
    )


def _refusals(outcome: Outcome, watch: Watch) -> list[Measure]:
    # Where nothing was refused, nothing was refused late.
    p99_ms = 1000 * quantile(sorted(outcome.other_s) or [0.0], 0.99)
    return [
        Measure(
            "refused within, p99",
            f"{_REFUSED_WITHIN_MS:.0f} ms",
            f"{p99_ms:.1f} ms of {len(outcome.other_s):,}",
            p99_ms <= _REFUSED_WITHIN_MS,
        ),
        none_of(
            "refusals that are no 503 `overloaded` with Retry-After", watch.num_bad, watch.num_bad + watch.num_refused
        ),
        none_of("hung", outcome.num_hung, outcome.num_sent),
        none_of("connections cut", outcome.num_broken, outcome.num_sent),
        none_of("wrong answers", outcome.num_different, len(outcome.good_s)),
    ]


def _memory_until_done(service: Started, load: "Future[Any]") -> list[int]:
    """PSS of the service, taken once a second while the load goes on; at least one."""
    taken: list[int] = []
    while not taken or not load.done():
        service.check_alive()
        taken.append(memory_of(service.process.pid).pss_bytes)
        wait([load], timeout=_LOOK_S)
    return taken


def _memory(before: int, taken: list[int], seconds: float) -> Measure:
    # Being full costs more than being busy, once: flat is what does not grow from then on.
    early = taken[min(len(taken) - 1, math.ceil(0.1 * seconds / _LOOK_S))]
    late = taken[-1]
    ratio = late / early
    seen = f"{ratio:.3f} ({late >> 20} MiB of {early >> 20} MiB; {before >> 20} MiB before)"
    return Measure("memory at its end against after its first tenth", f"≤ {_FLAT:.2f}", seen, ratio <= _FLAT, "1.00")
