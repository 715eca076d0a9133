"""Which samples are preempted and who gets the slots: clients with less than an equal share first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.service.engine.sampling.slots import Running, plan_slots

OLD, NEW = True, False
CLIENTS = st.sampled_from("abcde")


def running(*groups: tuple[str, bool, int]) -> list[Running]:
    return [Running(client, is_aged) for client, is_aged, number in groups for _ in range(number)]


CASES = {
    "free slots are enough": (running(("a", OLD, 2)), {"b": 2}, 4, [], {"b": 2}),
    "of one client long runners are preempted": (
        running(("a", OLD, 2), ("a", NEW, 2)),
        {"a": 5},
        4,
        [0, 1],
        {"a": 2},
    ),
    "no more are preempted than wait": (running(("a", OLD, 4)), {"a": 1}, 4, [0], {"a": 1}),
    "of one client none is preempted early": (running(("a", NEW, 4)), {"a": 5}, 4, [], {}),
    "another client gets its share at once": (running(("a", NEW, 4)), {"a": 9, "b": 3}, 4, [0, 1], {"b": 2}),
    "and no more than it asks for": (running(("a", NEW, 4)), {"a": 9, "b": 1}, 4, [0], {"b": 1}),
    "whose samples stay while others wait": (running(("b", OLD, 1), ("a", NEW, 3)), {"a": 9}, 4, [], {}),
    "equal shares change by age": (running(("a", OLD, 2), ("b", NEW, 2)), {"a": 1, "b": 1}, 4, [0, 1], {"a": 1}),
    "more clients than slots": (running(("a", OLD, 1), ("b", NEW, 1)), {"c": 1}, 2, [0], {}),
}


@pytest.mark.parametrize(("samples", "waiting", "max_slots", "preempted", "due"), CASES.values(), ids=CASES)
def test_plans(
    samples: list[Running], waiting: dict[str, int], max_slots: int, preempted: list[int], due: dict[str, int]
) -> None:
    assert plan_slots(samples, waiting, max_slots=max_slots) == (preempted, due)


@given(
    st.lists(st.builds(Running, CLIENTS, st.booleans()), max_size=9),
    st.dictionaries(CLIENTS, st.integers(1, 9), min_size=1),
    st.integers(0, 4),
)
def test_what_is_promised_fits(samples: list[Running], waiting: dict[str, int], num_free: int) -> None:
    max_slots = max(1, len(samples) + num_free)
    preempted, due = plan_slots(samples, waiting, max_slots=max_slots)
    num_free = max_slots - len(samples)
    assert preempted == sorted(set(preempted))
    assert sum(due.values()) <= num_free + len(preempted)
    assert len(preempted) <= max(0, sum(waiting.values()) - num_free)
    has = {client: sum(sample.client == client for sample in samples) for client in "abcde"}
    fair = max_slots // len({sample.client for sample in samples} | set(waiting))
    for client, number in due.items():
        assert number <= waiting[client]
        left = has[client] - sum(samples[place].client == client for place in preempted)
        assert left + number <= fair
