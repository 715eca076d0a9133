"""kill -9 of a worker every two seconds: no wrong answer, and nobody loses anything but what was inside it."""

import random
import time
from collections.abc import Sequence

from benchmarks.faults.clients import Clients, reasons, tally, wait_until
from benchmarks.faults.connection import Asked, Outcome
from benchmarks.faults.connection_owners import Death, kill_worker
from benchmarks.faults.finding import Finding, Measure, none_of
from benchmarks.faults.known_answers import ask_alone, mixed_drafts
from benchmarks.faults.plan import Plan
from benchmarks.faults.started import started

_NUM_KNOWN = 60
_EVERY_S = 2.0
_REPLACED_LIMIT_S = 30.0
_ANSWERED = (Outcome.RIGHT, Outcome.WRONG)


def find(plan: Plan) -> Finding:
    """Kill for `plan.seconds` under load and judge what became of each request.

    A request was inside the dead worker when the worker held its connection: the kernel's tables are read while the
    worker is stopped, just before it is killed.
    """
    choice = random.Random(1)
    deaths: list[Death] = []
    with started(plan.models, plan.settings) as service:
        known_answers = ask_alone(service.port, mixed_drafts(_NUM_KNOWN))
        num_workers = len(service.workers)
        with Clients(service.port, known_answers, plan.clients) as clients:
            until = time.monotonic() + plan.seconds
            while time.monotonic() + _EVERY_S < until:
                time.sleep(_EVERY_S)
                service.check_alive()
                if workers := service.workers:
                    deaths.append(kill_worker(choice.choice(workers), service.port))
            is_whole = wait_until(lambda: len(service.workers) == num_workers, _REPLACED_LIMIT_S)
            before = clients.count()
            serves = wait_until(lambda: clients.count() > before + plan.clients, _REPLACED_LIMIT_S)
    found = tally(clients.asked)
    inside, outside = split(clients.asked, deaths)
    return Finding(
        "kill",
        (
            none_of(f"wrong answers, a worker killed {len(deaths)} times", found[Outcome.WRONG], len(clients.asked)),
            none_of("requests lost besides those inside the dead worker", len(outside), len(clients.asked)),
            Measure("workers at the end", str(num_workers), "all back" if is_whole else "missing", is_whole and serves),
        ),
        {
            "num_kills": len(deaths),
            "num_connections_of_dead_workers": [len(death.client_ports) for death in deaths],
            "num_asked": len(clients.asked),
            "num_lost_inside": len(inside),
            "num_closed_idle": found[Outcome.CLOSED_IDLE],
            "lost_outside": reasons(outside),
            "not_right": reasons(clients.asked),
        },
    )


def split(asked: Sequence[Asked], deaths: Sequence[Death]) -> tuple[list[Asked], list[Asked]]:
    """Requests without an answer: those inside a worker when it died, and the others.

    Connections that a client lost while it asked nothing of them are no requests.
    """
    inside: list[Asked] = []
    outside: list[Asked] = []
    for each in asked:
        if each.outcome not in _ANSWERED and each.outcome is not Outcome.CLOSED_IDLE:
            died = any(
                each.local_port in death.client_ports and each.began_at <= death.at <= each.ended_at for death in deaths
            )
            (inside if died else outside).append(each)
    return inside, outside
