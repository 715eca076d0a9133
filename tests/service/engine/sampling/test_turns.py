"""Turns: clients one after the other, then the requests of each."""

import math

from seqserve.service.engine.cancellation import Cancellation
from seqserve.service.engine.sampling.handle import SampleHandle
from seqserve.service.engine.sampling.turns import Turns


def handle(client: str) -> SampleHandle:
    return SampleHandle([], cancellation=Cancellation(math.inf, client=client))


def filled(items: list[tuple[SampleHandle, str]]) -> Turns[str]:
    turns: Turns[str] = Turns()
    for owner, item in items:
        turns.add(owner, item)
    return turns


def test_clients_take_turns_and_then_their_requests() -> None:
    first, second, honest = handle("greedy"), handle("greedy"), handle("honest")
    turns = filled([(first, "a1"), (first, "a2"), (second, "b1"), (first, "a3"), (honest, "h1"), (honest, "h2")])
    assert dict(turns.clients) == {"greedy": 4, "honest": 2}
    assert [turns.take() for _ in range(len(turns))] == ["a1", "h1", "b1", "h2", "a2", "a3"]
    assert dict(turns.clients) == {}


def test_the_first_is_the_one_that_is_taken() -> None:
    one, other = handle("one"), handle("other")
    turns = filled([(one, "1"), (other, "2"), (one, "3")])
    while len(turns):
        assert turns.first() == turns.take()


def test_a_client_may_be_served_out_of_turn() -> None:
    turns = filled([(handle("one"), "1"), (handle("other"), "2"), (handle("third"), "3")])
    assert turns.first("other") == turns.take("other") == "2"
    assert [turns.take() for _ in range(2)] == ["1", "3"]


def test_what_is_dropped_is_not_taken() -> None:
    first, second, other = handle("one"), handle("one"), handle("other")
    turns = filled([(first, "1"), (first, "2"), (second, "3"), (other, "4")])
    for each in (first, other, other, handle("nobody")):
        turns.drop(each)
    assert len(turns) == 1
    assert turns.take() == "3"
