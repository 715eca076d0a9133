"""Ten times what the service can do, offered at a steady rate: it answers what it can and refuses the rest at once."""

import math
from collections.abc import Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.faults.finding import Finding, Measure, none_of
from benchmarks.faults.known_answers import ask_alone, tag_drafts, wire_of
from benchmarks.faults.plan import Plan
from benchmarks.faults.started import Started, started
from benchmarks.faults.watched import Watch, drive_watched
from benchmarks.footprint import memory_of
from benchmarks.load.generator import drive, generators
from benchmarks.load.plan import Load, Outcome, Request
from benchmarks.load.statistics import Spread, quantile

_NUM_KNOWN = 64
_PEAK_CLIENTS = 32
_LONGEST_PEAK_S = 10.0
_TIMES = 10
_TEXTS_EACH = (1, 16)
_LEAST, _AIM = 0.90, 0.98
_MOST_ROUNDS = 5
_REFUSED_WITHIN_MS = 50.0
_FLAT = 1.05
_LOOK_S = 1.0


def find(plan: Plan) -> Finding:
    """Overload with one sentence a request, then with sixteen, each on a service of its own."""
    measures: list[Measure] = []
    figures: dict[str, Any] = {}
    with generators(1) as processes:
        for texts_each in _TEXTS_EACH:
            with started(plan.models, plan.settings) as service:
                known_answers = ask_alone(service.port, tag_drafts(_NUM_KNOWN, texts_each=texts_each))
                requests = [wire_of(known, units=texts_each) for known in known_answers]
                name = "1 sentence a request" if texts_each == 1 else f"{texts_each} sentences a request"
                found, numbers = _overload(service, processes, requests, plan)
                measures += [
                    Measure(f"{name}: {each.what}", each.at_least, each.seen, each.holds, each.aim) for each in found
                ]
                figures[name] = numbers
    return Finding("overload", tuple(measures), figures)


def _overload(
    service: Started, processes: Executor, requests: list[Request], plan: Plan
) -> tuple[list[Measure], dict[str, Any]]:
    """Peak, overload, peak, overload, ..., peak: each overload is held against the peaks before and after it."""
    peak_s = min(_LONGEST_PEAK_S, plan.seconds)
    closed = Load(service.port, requests, clients=_PEAK_CLIENTS, seconds=peak_s, warm_up_s=min(2.0, peak_s))
    peaks = [processes.submit(drive, closed).result()]
    before = memory_of(service.process.pid).pss_bytes
    workers = service.workers
    rounds: list[_Round] = []
    for _ in range(min(_MOST_ROUNDS, plan.rounds)):
        offered = Load(service.port, requests, rate=_TIMES * _rate(peaks[-1]), seconds=plan.seconds)
        under_way = processes.submit(drive_watched, offered)
        memory = _memory_until_done(service, under_way)
        outcome, watch = under_way.result()
        service.check_alive()
        peaks.append(processes.submit(drive, closed).result())
        rounds.append(_Round((_rate(peaks[-2]) + _rate(peaks[-1])) / 2, offered, outcome, watch, memory))
    numbers = {
        "peaks": [peak.numbers() for peak in peaks],
        "rounds": [each.numbers() for each in rounds],
        "memory_before_bytes": before,
    }
    same = service.workers == workers
    lasting = Measure("the same workers at the end", "yes", "yes" if same else "no", same)
    return [_goodput(rounds), *_refusals(rounds), lasting, _memory(before, rounds)], numbers


def _rate(peak: Outcome) -> float:
    return len(peak.good_s) / peak.seconds


@dataclass(frozen=True, slots=True)
class _Round:
    """One overload; `peak_rate` is the mean of what was answered before and after, a second."""

    peak_rate: float
    offered: Load
    outcome: Outcome
    watch: Watch
    memory: Sequence[int]
    """PSS of the service, about once a second, in bytes."""

    @property
    def good_rate(self) -> float:
        """Good answers a second while the load was offered."""
        return self.watch.good_per_s(self.offered)

    @property
    def refused_p99_ms(self) -> float:
        """Milliseconds; where nothing was refused, nothing was refused late."""
        return 1000 * quantile(sorted(self.outcome.other_s) or [0.0], 0.99)

    def numbers(self) -> dict[str, Any]:
        """Everything that was taken."""
        return {
            "offered_per_s": self.offered.rate,
            "good_per_s": self.good_rate,
            "peak_per_s": self.peak_rate,
            "overload": self.outcome.numbers(),
            "first_bad_refusal": self.watch.first_bad,
            "memory_bytes": self.memory,
        }


def _goodput(rounds: Sequence[_Round]) -> Measure:
    share = Spread.of([each.good_rate / each.peak_rate for each in rounds])
    good, peak = (median(rates) for rates in zip(*((each.good_rate, each.peak_rate) for each in rounds), strict=True))
    seen = f"{share.median:.2f} ({share.least:.2f} to {share.greatest:.2f}; {good:.0f}/s of {peak:.0f}/s)"
    return Measure(
        f"good answers/s of the peak, {_TIMES} × offered", f"{_LEAST:.2f}", seen, share.median >= _LEAST, f"{_AIM:.2f}"
    )


def _refusals(rounds: Sequence[_Round]) -> list[Measure]:
    p99_ms = Spread.of([each.refused_p99_ms for each in rounds])
    outcomes, watches = [each.outcome for each in rounds], [each.watch for each in rounds]
    num_sent = sum(each.num_sent for each in outcomes)
    num_bad = sum(each.num_bad for each in watches)
    num_refused = num_bad + sum(each.num_refused for each in watches)
    num_good = sum(len(each.good_s) for each in outcomes)
    return [
        Measure(
            "refused within, p99",
            f"{_REFUSED_WITHIN_MS:.0f} ms",
            f"{p99_ms.median:.1f} ms ({p99_ms.least:.1f} to {p99_ms.greatest:.1f}) of {num_refused:,}",
            p99_ms.median <= _REFUSED_WITHIN_MS,
        ),
        none_of("refusals that are no 503 `overloaded` with Retry-After", num_bad, num_refused),
        none_of("hung", sum(each.num_hung for each in outcomes), num_sent),
        none_of("connections cut", sum(each.num_broken for each in outcomes), num_sent),
        none_of("wrong answers", sum(each.num_different for each in outcomes), num_good),
    ]


def _memory_until_done(service: Started, load: "Future[Any]") -> list[int]:
    """PSS of the service, taken once a second while the load goes on; at least one."""
    taken: list[int] = []
    while not taken or not load.done():
        service.check_alive()
        taken.append(memory_of(service.process.pid).pss_bytes)
        wait([load], timeout=_LOOK_S)
    return taken


def _memory(before: int, rounds: Sequence[_Round]) -> Measure:
    # Being full costs more than being busy, once: flat is what does not grow from then on.
    growth = Spread.of([each.memory[-1] / each.memory[math.ceil(0.1 * len(each.memory)) - 1] for each in rounds])
    last = max(each.memory[-1] for each in rounds)
    seen = f"{growth.median:.3f} ({growth.least:.3f} to {growth.greatest:.3f}; {before >> 20} MiB before, {last >> 20})"
    return Measure(
        "memory at its end against after its first tenth", f"≤ {_FLAT:.2f}", seen, growth.median <= _FLAT, "1.00"
    )
