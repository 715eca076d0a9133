"""A graph run that never returns: the watchdog ends its worker, another takes its place, others are served."""

import time
from pathlib import Path

from benchmarks.faults.clients import Clients, reasons, tally, wait_until
from benchmarks.faults.connection import Asked, Outcome
from benchmarks.faults.finding import Finding, Measure, none_of
from benchmarks.faults.known_answers import ask_alone, tag_drafts
from benchmarks.faults.plan import Plan
from benchmarks.faults.started import started
from benchmarks.faults.stuck_server import FILE_VARIABLE
from benchmarks.running_service import ServiceError

_SCRIPT = ("-m", "benchmarks.faults.stuck_server")
_NUM_KNOWN = 32
_STUCK_S = 2.0
_REPLACED_WITHIN_S = _STUCK_S + 5.0
_LIMIT_S = 60.0
_BEFORE_S, _AFTER_S = 1.0, 2.0


def find(plan: Plan) -> Finding:
    """Let one run get stuck under load, with --stuck-s 2, and see who is served until and after the replacement."""
    file = plan.to.resolve() / "stuck.now"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    settings = [*plan.settings, "--stuck-s", str(_STUCK_S)]
    with started(plan.models, settings, script=_SCRIPT, variables={FILE_VARIABLE: str(file)}) as service:
        known_answers = ask_alone(service.port, tag_drafts(_NUM_KNOWN))
        workers = service.workers
        with Clients(service.port, known_answers, plan.clients) as clients:
            time.sleep(_BEFORE_S)
            file.touch()
            if not wait_until(lambda: not file.exists(), _LIMIT_S):
                raise ServiceError("no run has got stuck")
            stuck_at = time.monotonic()
            ended = wait_until(lambda: not set(workers) <= set(service.workers), _LIMIT_S)
            ended_at = time.monotonic()
            whole = wait_until(lambda: len(service.workers) == len(workers), _LIMIT_S)
            whole_at = time.monotonic()
            time.sleep(_AFTER_S)
            asked_at = time.monotonic()
            clients_go_on = wait_until(lambda: _all_served(clients.asked, asked_at, plan.clients), _LIMIT_S)
    _remove(file)
    served = sum(each.outcome is Outcome.RIGHT and stuck_at <= each.ended_at <= ended_at for each in clients.asked)
    found = tally(clients.asked)
    lost = len(clients.asked) - found[Outcome.RIGHT] - found[Outcome.WRONG] - found[Outcome.CLOSED_IDLE]
    within_s = whole_at - stuck_at
    return Finding(
        "stuck",
        (
            Measure(
                f"a worker whose run is stuck is replaced, --stuck-s {_STUCK_S:.0f}",
                f"{_REPLACED_WITHIN_S:.0f} s",
                f"{within_s:.1f} s" if ended and whole else f"not in {_LIMIT_S:.0f} s",
                ended and whole and within_s <= _REPLACED_WITHIN_S,
            ),
            Measure("right answers of others meanwhile", "> 0", f"{served:,}", served > 0),
            none_of("wrong answers", found[Outcome.WRONG], len(clients.asked)),
            Measure("requests lost", f"≤ {plan.clients}, one a client", str(lost), lost <= plan.clients),
            Measure("everybody served afterwards", "yes", "yes" if clients_go_on else "no", clients_go_on),
        ),
        {
            "seconds_to_end": ended_at - stuck_at,
            "seconds_to_replaced": within_s,
            "num_served_meanwhile": served,
            "num_asked": len(clients.asked),
            "not_right": reasons(clients.asked),
        },
    )


def _all_served(asked: list[Asked], since: float, num_clients: int) -> bool:
    """Whether enough requests that began since then were answered to show that no client is still held."""
    return sum(each.outcome is Outcome.RIGHT and each.began_at >= since for each in asked[-50 * num_clients :]) >= (
        10 * num_clients
    )


def _remove(file: Path) -> None:
    file.unlink(missing_ok=True)
