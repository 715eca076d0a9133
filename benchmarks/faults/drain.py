"""SIGTERM under load, again and again: every request that was accepted is answered right."""

import random
import signal
import time

from benchmarks.faults.clients import Clients, reasons, tally, wait_until
from benchmarks.faults.connection import Asked, Outcome
from benchmarks.faults.finding import Finding, Measure, none_of
from benchmarks.faults.known_answers import KnownAnswer, ask_alone, mixed_drafts
from benchmarks.faults.plan import Plan
from benchmarks.faults.started import started
from benchmarks.running_service import ServiceError

_NUM_KNOWN = 60
_DRAINS_S = (0.0, 0.5)
"""In turn: the listeners close at once; or after a while, as behind a balancer."""
_LOAD_LIMIT_S = 60.0


def find(plan: Plan) -> Finding:
    """Run the rounds and judge them.

    Accepted is a request whose connection was established, also one in the listener's backlog. One that the server
    read nothing of, on a connection that it closed after an earlier answer, is counted apart: clients send it again.
    """
    moments = random.Random(1)
    asked: list[Asked] = []
    statuses: list[int] = []
    known: list[KnownAnswer] = []
    for number in range(plan.rounds):
        statuses.append(_round(plan, known, asked, _DRAINS_S[number % len(_DRAINS_S)], moments.uniform(0.5, 1.5)))
    found = tally(asked)
    outside = found[Outcome.CLOSED_IDLE] + found[Outcome.NOT_ACCEPTED]
    unanswered = len(asked) - outside - found[Outcome.RIGHT]
    text = f"accepted requests without a right answer, SIGTERM {plan.rounds} times"
    return Finding(
        "drain",
        (
            none_of(text, unanswered, len(asked) - outside),
            Measure("exit status", "0", ", ".join(map(str, sorted(set(statuses)))), set(statuses) == {0}),
        ),
        {
            "num_asked": len(asked),
            "num_closed_idle": found[Outcome.CLOSED_IDLE],
            "num_not_accepted": found[Outcome.NOT_ACCEPTED],
            "not_right": reasons(asked),
        },
    )


def _round(plan: Plan, known: list[KnownAnswer], asked: list[Asked], drain_s: float, load_s: float) -> int:
    with started(plan.models, plan.settings, drain_s=drain_s) as service:
        if not known:
            known += ask_alone(service.port, mixed_drafts(_NUM_KNOWN))
        with Clients(service.port, known, 2 * plan.clients) as clients:
            if not wait_until(lambda: clients.count() >= 2 * plan.clients, _LOAD_LIMIT_S):
                raise ServiceError(f"the service is not answering: {service.log[-2000:]}")
            time.sleep(load_s)
            if any(each.outcome is Outcome.NOT_ACCEPTED for each in clients.asked):
                raise ServiceError(f"the service refused connections before it was stopped: {service.log[-2000:]}")
            service.send(signal.SIGTERM)
            status = service.wait()
    asked += clients.asked
    return status
