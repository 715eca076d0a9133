"""Which samples leave their slots, and which clients get them: a pure function of who holds slots and who waits."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Held(NamedTuple):
    """A slot that is held: by a sample of which client, and whether it has been held long enough to be given up."""

    client: str
    is_aged: bool


def plan_slots(held: Sequence[Held], waiting: Mapping[str, int], *, max_slots: int) -> tuple[list[int], dict[str, int]]:
    """Return which slots become free, ascending, and how many of the free ones each client gets before all others.

    waiting: how many samples of each client wait. Aged samples make room for those that wait, and where they are too
    few, samples of clients with more than an equal share make room for clients with less.
    """
    has = Counter(slot.client for slot in held)
    fair = max_slots // len(has.keys() | waiting.keys())
    num_free = max_slots - len(held)
    missing = max(0, sum(waiting.values()) - num_free)
    aged = [
        place for place, slot in enumerate(held) if slot.is_aged and (has[slot.client] > fair or slot.client in waiting)
    ]
    leaving = aged[:missing]
    has.subtract(held[place].client for place in leaving)
    due = {client: min(number, fair - has[client]) for client, number in waiting.items() if has[client] < fair}
    lacking = sum(due.values()) - num_free - len(leaving)
    if lacking > 0:
        left = set(range(len(held))).difference(leaving)
        leaving += _of_others(held, left, has, fair=fair)[:lacking]
    return sorted(leaving), due


def _of_others(held: Sequence[Held], left: Iterable[int], has: Counter[str], *, fair: int) -> list[int]:
    """Return the slots beyond an equal share of each client, those held longest first."""
    chosen = []
    for place in sorted(left):
        client = held[place].client
        if has[client] > fair:
            has[client] -= 1
            chosen.append(place)
    return chosen
