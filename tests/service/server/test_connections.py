"""The connections of a process: their places, the order of their ends, and who makes room."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from seqserve.service.server.connections import Connections
from seqserve.service.settings import Settings

FAR = 1e12


class FakeConnection:
    """Does what it is told by a function, and takes down that it was told."""

    def __init__(self, connections: Connections, address: str = "a", *, for_operators: bool = False) -> None:
        self.address = address
        self.calls: list[str] = []
        self.at_hurry: Callable[[Any], None] = connections.forget
        self._connections = connections
        connections.add(self, for_operators=for_operators)

    def idle(self, until: float = FAR) -> "FakeConnection":
        self._connections.note(self, "idle", until)
        return self

    def close_idle(self) -> None:
        self.calls.append("close_idle")
        self.at_hurry(self)

    def expire(self) -> None:
        self.calls.append("expire")
        self._connections.forget(self)


@pytest.fixture
def connections() -> Connections:
    return Connections(Settings(max_connections=4))


def test_what_has_taken_too_long_is_ended(connections: Connections) -> None:
    now = time.monotonic()
    states: list[Any] = ["idle", "reading", "closing"]
    over = [FakeConnection(connections, str(number)) for number in range(3)]
    young = [FakeConnection(connections, str(number)) for number in range(3)]
    for until, some in ((now - 1, over), (now + 1000, young)):
        for state, each in zip(states, some, strict=True):
            connections.note(each, state, until)
    connections.sweep()
    assert [each.calls for each in over] == [["expire"]] * 3
    assert [each.calls for each in young] == [[]] * 3
    assert len(connections) == 3


def test_one_that_is_answering_has_no_end(connections: Connections) -> None:
    one = FakeConnection(connections).idle(0.0)
    connections.note(one, "answering", 0.0)
    connections.sweep()
    connections.close_idle()
    assert one.calls == []


def test_all_idle_ones_are_hurried(connections: Connections) -> None:
    idle = [FakeConnection(connections).idle() for _ in range(3)]
    reading = FakeConnection(connections)
    connections.note(reading, "reading", FAR)
    connections.close_idle()
    assert [each.calls for each in [*idle, reading]] == [["close_idle"]] * 3 + [[]]
    assert len(connections) == 1


def test_the_longest_idle_one_makes_room(connections: Connections) -> None:
    some = [FakeConnection(connections, str(number)).idle() for number in range(4)]
    some[0].idle()  # has just been answered
    assert connections.make_room()
    assert [each.calls for each in some] == [[], ["close_idle"], [], []]
    assert connections.make_room()
    assert len(connections) == 3


def test_one_on_which_a_request_comes_makes_no_room(connections: Connections) -> None:
    some = [FakeConnection(connections, str(number)).idle() for number in range(4)]
    some[0].at_hurry = lambda each: connections.note(each, "reading", FAR)
    assert not connections.make_room()
    assert connections.make_room()  # the next one was idle indeed


def test_an_address_makes_room_for_itself(connections: Connections) -> None:
    other = FakeConnection(connections, "b").idle()
    some = [FakeConnection(connections, "a").idle()]
    while connections._by_address.fits("a", 1):
        some.append(FakeConnection(connections, "a").idle())
    assert connections.make_room_for("a")
    assert [each.calls for each in some] == [["close_idle"]] + [[]] * (len(some) - 1)
    assert other.calls == []


def test_an_address_with_busy_connections_only_has_no_place(connections: Connections) -> None:
    FakeConnection(connections, "b").idle()
    while connections._by_address.fits("a", 1):
        FakeConnection(connections, "a")
    assert not connections.make_room_for("a")
    assert connections.make_room_for("c")


def test_operators_are_counted_apart_and_make_no_room(connections: Connections) -> None:
    operator = FakeConnection(connections, for_operators=True).idle()
    for number in range(4):
        FakeConnection(connections, str(number))
    assert len(connections) == 4
    assert not connections.make_room()
    assert operator.calls == []
    assert not connections.is_empty


def test_behind_proxies_one_address_may_have_them_all() -> None:
    connections = Connections(Settings(max_connections=4, trust_forwarded=1))
    for _ in range(4):
        assert connections.make_room_for("proxy")
        FakeConnection(connections, "proxy")
    assert not connections.make_room_for("proxy")


def test_what_is_forgotten_leaves_nothing(connections: Connections) -> None:
    for for_operators in (False, True):
        one = FakeConnection(connections, for_operators=for_operators).idle()
        assert not connections.is_empty
        for _ in range(2):
            connections.forget(one)
        assert connections.is_empty
    assert (len(connections), connections._by_address.held) == (0, 0)
    assert not any(connections._ends.values())
