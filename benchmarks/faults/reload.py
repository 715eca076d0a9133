"""SIGHUP with a new bundle under load, again and again: no request fails, and the new bundle takes over."""

import signal
import time
from collections.abc import Iterable

from benchmarks.faults.clients import Clients, reasons, tally, wait_until
from benchmarks.faults.connection import Asked, Outcome
from benchmarks.faults.finding import Finding, Measure, none_of
from benchmarks.faults.known_answers import KnownAnswer, ask_alone, mixed_drafts, version_of
from benchmarks.faults.models_folder import add_version, flip_a_byte, remove_version
from benchmarks.faults.plan import Plan
from benchmarks.faults.started import Started, started
from seqserve.loading import find_bundles
from seqserve.manifest import read_manifest

_NUM_KNOWN = 60
_SWAP_LIMIT_S = 60.0
_SETTLED_S = 1.0
"""A swap is over when only the new version has answered for so long."""
_BROKEN_LIMIT_S = 30.0


class Versions:
    """The versions of the tagger that may answer now; judges answers by them."""

    def __init__(self, tagger: str, version: str) -> None:
        self.tagger = tagger
        self.allowed = {version}

    def judge(self, known: KnownAnswer, body: bytes) -> bool:
        """Whether an answer is right, with any version that is allowed now."""
        if known.path != "/v1/tag":
            return known.is_right(body)
        return known.is_right_at(body, self.allowed)


def find(plan: Plan) -> Finding:
    """Reload the tagger `plan.rounds` times, then try a broken bundle, which must change nothing."""
    tagger, folder = next(
        (each.parent.name, each) for each in find_bundles(plan.models) if read_manifest(each).task == "tag"
    )
    versions = Versions(tagger, folder.name)
    swaps_s: list[float] = []
    with started(plan.models, plan.settings) as service:
        known_answers = ask_alone(service.port, mixed_drafts(_NUM_KNOWN))
        with Clients(service.port, known_answers, plan.clients, judge=versions.judge) as clients:
            for number in range(plan.rounds):
                new = add_version(plan.models, tagger, str(2 + number))
                swaps_s.append(_swap(service, clients, versions, new.name))
                if folder.name != "1":  # the bundle as it was copied stays
                    remove_version(folder)
                folder = new
            swapped = len(clients.asked)
            reason = _try_broken(plan, service, versions)
            is_old = wait_until(lambda: len(clients.asked) > swapped + 4 * plan.clients, _SWAP_LIMIT_S)
    found = tally(clients.asked)
    failed = len(clients.asked) - found[Outcome.RIGHT] - found[Outcome.CLOSED_IDLE]
    num_swaps = sum(seconds < _SWAP_LIMIT_S for seconds in swaps_s)
    return Finding(
        "reload",
        (
            none_of(f"failed requests, SIGHUP {plan.rounds} times", failed, len(clients.asked)),
            Measure("swaps", str(plan.rounds), str(num_swaps), num_swaps == plan.rounds),
            Measure(
                "a broken bundle: the log says why, the old goes on", "yes", reason or "silent", bool(reason) and is_old
            ),
        ),
        {
            "num_asked": len(clients.asked),
            "num_closed_idle": found[Outcome.CLOSED_IDLE],
            "swaps_s": swaps_s,
            "not_right": reasons(clients.asked),
        },
    )


def _swap(service: Started, clients: Clients, versions: Versions, new: str) -> float:
    """Seconds from SIGHUP to the last answer of the old version; the limit when the new one does not take over."""
    versions.allowed.add(new)
    seen = len(clients.asked)
    begun_at = time.monotonic()
    service.send(signal.SIGHUP)
    old_at, new_at = begun_at, 0.0
    while time.monotonic() < begun_at + _SWAP_LIMIT_S:
        time.sleep(0.02)
        service.check_alive()
        tagged = _tagged(clients.asked[seen:])
        seen = len(clients.asked)
        for each in tagged:
            if version_of(each.body) == new:
                new_at = each.ended_at
            else:
                old_at = each.ended_at
        if new_at > old_at + _SETTLED_S:
            versions.allowed.intersection_update({new})
            return old_at - begun_at
    return _SWAP_LIMIT_S


def _try_broken(plan: Plan, service: Started, versions: Versions) -> str:
    """Reload with a bundle whose weights are spoilt; return what the log says of why it was not taken."""
    before = len(service.log)
    broken = add_version(plan.models, versions.tagger, str(2 + plan.rounds), spoil=flip_a_byte)
    service.send(signal.SIGHUP)

    def lines() -> list[str]:
        return [line for line in service.log[before:].splitlines() if "wrong checksum" in line]

    wait_until(lambda: bool(lines()), _BROKEN_LIMIT_S)
    remove_version(broken)
    said = lines()[0].rpartition("] ")[2].replace(str(plan.models), "MODELS") if lines() else ""
    return said.partition(", sha256")[0]


def _tagged(asked: Iterable[Asked]) -> list[Asked]:
    return [each for each in asked if each.known.path == "/v1/tag" and each.outcome is Outcome.RIGHT]
