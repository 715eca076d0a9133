"""An honest client alone and beside another client, in turns: how long it waits, and what it is refused."""

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

from benchmarks.faults.probes import is_fine
from benchmarks.faults.started import Started
from benchmarks.footprint import memory_of
from benchmarks.load.generator import drive
from benchmarks.load.plan import Load, Outcome, Request
from benchmarks.load.statistics import quantile

Other = Callable[[float], "Future[Any]"]
"""Starts the other client for this many seconds."""

_SETTLE_S = 1.0
_LEAD_S = 0.5
"""The other client begins so long before the honest one, and ends after it."""
_PROBE_EVERY_S = 0.05


@dataclass(slots=True)
class Seen:
    """What was seen of honest requests and of probes of both ports beside them.

    memory_bytes: the most that all processes held together.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    probes_s: list[float] = field(default_factory=list)
    ops_probes_s: list[float] = field(default_factory=list)
    num_probes_failed: int = 0
    memory_bytes: int = 0

    @property
    def num_failed(self) -> int:
        """Honest requests without the right answer."""
        return sum(failed(each) for each in self.outcomes)

    @property
    def num_answered(self) -> int:
        """Honest requests that were answered 200."""
        return sum(len(each.good_s) for each in self.outcomes)

    def quantile_ms(self, part: float) -> float:
        """Return the median over the rounds of a quantile of the honest requests' latencies; infinite without one.

        What was not answered by the end of a round has waited for at least the round.
        """
        found = []
        for each in self.outcomes:
            ordered = sorted([*each.good_s, *each.other_s, *([each.seconds] * each.num_hung)])
            found.append(1000 * quantile(ordered, part) if ordered else float("inf"))
        return statistics.median(found) if found else float("inf")

    @property
    def probes_p99_ms(self) -> tuple[float, float]:
        """The probes' latencies on the main port and on the one for operators; 0 without a probe."""
        main, ops = (sorted(each) or [0.0] for each in (self.probes_s, self.ops_probes_s))
        return 1000 * quantile(main, 0.99), 1000 * quantile(ops, 0.99)

    def numbers(self) -> dict[str, Any]:
        """Return everything as plain numbers."""
        return {
            "p50_ms": self.quantile_ms(0.5),
            "p99_ms": self.quantile_ms(0.99),
            "num_answered": self.num_answered,
            "num_failed": self.num_failed,
            "num_probes": len(self.probes_s) + len(self.ops_probes_s),
            "num_probes_failed": self.num_probes_failed,
            "probes_main_p99_ms": self.probes_p99_ms[0],
            "probes_ops_p99_ms": self.probes_p99_ms[1],
            "memory_bytes": self.memory_bytes,
            "rounds": [each.numbers() for each in self.outcomes],
        }


def failed(outcome: Outcome) -> int:
    """Return how many requests of a load have not been answered with 200 and the right body."""
    return len(outcome.other_s) + outcome.num_broken + outcome.num_hung + outcome.num_different


@dataclass(frozen=True, slots=True)
class Honest:
    """One honest connection that sends these requests in turn, `seconds` a round, alone and beside others."""

    service: Started
    processes: Executor
    requests: Sequence[Request]
    seconds: float

    def in_turns(self, other: Other, rounds: int) -> tuple[Seen, Seen, list[Any]]:
        """Return what it saw alone, what it saw beside the other client, and what became of that one each time."""
        alone, beside, others = Seen(), Seen(), []
        for _ in range(rounds):
            self._round(alone)
            under_way = other(self.seconds + 2 * _LEAD_S)
            time.sleep(_LEAD_S)
            self._round(beside)
            others.append(under_way.result())
            self.service.check_alive()
            time.sleep(_SETTLE_S)
        return alone, beside, others

    def _round(self, seen: Seen) -> None:
        load = Load(self.service.port, self.requests, clients=1, seconds=self.seconds, warm_up_s=0.2)
        under_way = self.processes.submit(drive, load)
        ports = ((self.service.port, seen.probes_s), (self.service.ops_port, seen.ops_probes_s))
        while not under_way.done():
            for port, taken in ports:
                started_at = time.perf_counter()
                seen.num_probes_failed += not is_fine(port, "/healthz")
                taken.append(time.perf_counter() - started_at)
            seen.memory_bytes = max(seen.memory_bytes, memory_of(self.service.process.pid).pss_bytes)
            time.sleep(_PROBE_EVERY_S)
        seen.outcomes.append(under_way.result())


def ratio(beside: float, alone: float) -> float:
    """Return how many times as long it takes; infinite where nothing was answered."""
    return beside / alone if alone else float("inf")
