"""Decide which running samples are preempted and which clients get the slots: a pure function."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Running(NamedTuple):
    """A running sample: its client, and whether it has run long enough to be preempted."""

    client: str
    is_aged: bool


def plan_slots(
    running: Sequence[Running], waiting: Mapping[str, int], *, max_slots: int
) -> tuple[list[int], dict[str, int]]:
    """Return which running samples are preempted, ascending, and how many slots each client gets before all others.

    waiting: how many samples of each client wait. Aged samples are preempted for those that wait. Where they are too
    few, samples of clients with more than an equal share are preempted for clients with less.
    """
    has = Counter(sample.client for sample in running)
    fair = max_slots // len(has.keys() | waiting.keys())
    num_free = max_slots - len(running)
    missing = max(0, sum(waiting.values()) - num_free)
    aged = [
        place
        for place, sample in enumerate(running)
        if sample.is_aged and (has[sample.client] > fair or sample.client in waiting)
    ]
    preempted = aged[:missing]
    has.subtract(running[place].client for place in preempted)
    due = {client: min(number, fair - has[client]) for client, number in waiting.items() if has[client] < fair}
    lacking = sum(due.values()) - num_free - len(preempted)
    if lacking > 0:
        left = set(range(len(running))).difference(preempted)
        preempted += _of_others(running, left, has, fair=fair)[:lacking]
    return sorted(preempted), due


def _of_others(running: Sequence[Running], left: Iterable[int], has: Counter[str], *, fair: int) -> list[int]:
    """Return the samples beyond an equal share of each client, those that have run longest first."""
    chosen = []
    for place in sorted(left):
        client = running[place].client
        if has[client] > fair:
            has[client] -= 1
            chosen.append(place)
    return chosen
