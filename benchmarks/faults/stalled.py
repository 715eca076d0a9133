"""Two hundred stalled connections beside honest clients, who must not notice."""

import math
import statistics

from benchmarks.faults.finding import Finding, Measure, none_of
from benchmarks.faults.known_answers import ask_alone, tag_drafts, wire_of
from benchmarks.faults.plan import Plan
from benchmarks.faults.staller import Staller
from benchmarks.faults.started import started
from benchmarks.load.generator import drive, generators
from benchmarks.load.plan import Load, Outcome
from benchmarks.load.statistics import quantile

_NUM_KNOWN = 64
_NUM_STALLED = 200
_NUM_ROUNDS = 3
_MOST, _AIM = 3.0, 1.2


def find(plan: Plan) -> Finding:
    """Measure in rounds, once undisturbed and once disturbed each; medians over rounds."""
    alone: list[Outcome] = []
    beside: list[Outcome] = []
    num_closed = num_failed = 0
    with started(plan.models, plan.settings) as service, generators(1) as processes:
        requests = [wire_of(each) for each in ask_alone(service.port, tag_drafts(_NUM_KNOWN))]
        load = Load(service.port, requests, clients=plan.clients, seconds=plan.seconds / (2 * _NUM_ROUNDS))
        processes.submit(drive, load).result()  # warms up
        for _ in range(_NUM_ROUNDS):
            alone.append(processes.submit(drive, load).result())
            with Staller(service.port, _NUM_STALLED) as staller:
                beside.append(processes.submit(drive, load).result())
            num_closed += staller.num_closed
            num_failed += staller.num_failed
        service.check_alive()
    alone_ms, beside_ms = _p99_ms(alone), _p99_ms(beside)
    ratio = beside_ms / alone_ms
    outcomes = [*alone, *beside]
    num_good = sum(len(each.good_s) for each in outcomes)
    unanswered = sum(len(each.other_s) + each.num_broken + each.num_hung for each in outcomes)
    return Finding(
        "stalled",
        (
            Measure(
                f"p99 of {plan.clients} honest clients beside {_NUM_STALLED} stalled, of undisturbed",
                f"≤ {_MOST:.0f} ×",
                f"{ratio:.2f} × ({beside_ms:.1f} ms of {alone_ms:.1f} ms)",
                ratio <= _MOST,
                f"{_AIM:.1f} ×",
            ),
            none_of("honest requests without a good answer", unanswered, num_good + unanswered),
            none_of("wrong answers", sum(each.num_different for each in outcomes), num_good),
            none_of("stalled connections that could not be opened", num_failed, _NUM_ROUNDS * _NUM_STALLED),
        ),
        {
            "undisturbed": [each.numbers() for each in alone],
            "disturbed": [each.numbers() for each in beside],
            "num_stalled_ended_by_the_server": num_closed,
        },
    )


def _p99_ms(outcomes: list[Outcome]) -> float:
    # Endless where nobody was answered at all.
    return statistics.median(1000 * quantile(sorted(each.good_s) or [math.inf], 0.99) for each in outcomes)
