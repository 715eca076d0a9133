"""SIGTERM under load, again and again: every request that was accepted is answered right."""

import random
import signal
import time

from benchmarks.faults.connection import Asked, Outcome
from benchmarks.faults.crowd import Crowd, reasons, tally, wait_until
from benchmarks.faults.finding import Finding, Measure, none_of
from benchmarks.faults.plan import Plan
from benchmarks.faults.questions import Question, ask_alone, mixed_drafts
from benchmarks.faults.started import started
from benchmarks.running_service import ServiceError

_NUM_QUESTIONS = 60
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
    questions: list[Question] = []
    for number in range(plan.rounds):
        statuses.append(_round(plan, questions, asked, _DRAINS_S[number % len(_DRAINS_S)], moments.uniform(0.5, 1.5)))
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


def _round(plan: Plan, questions: list[Question], asked: list[Asked], drain_s: float, load_s: float) -> int:
    with started(plan.house, plan.settings, drain_s=drain_s) as service:
        if not questions:
            questions += ask_alone(service.port, mixed_drafts(_NUM_QUESTIONS))
        with Crowd(service.port, questions, 2 * plan.clients) as crowd:
            if not wait_until(lambda: crowd.count() >= 2 * plan.clients, _LOAD_LIMIT_S):
                raise ServiceError(f"the service is not answering: {service.log[-2000:]}")
            time.sleep(load_s)
            if any(each.outcome is Outcome.NOT_ACCEPTED for each in crowd.asked):
                raise ServiceError(f"the service refused connections before it was stopped: {service.log[-2000:]}")
            service.send(signal.SIGTERM)
            status = service.wait()
    asked += crowd.asked
    return status
