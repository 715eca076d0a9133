"""Clients take turns with the loop, and the loop with its sockets."""

import time

import gevent
from gevent.hub import get_hub

from seqserve.service.server.turns import SLICE_S, Turns
from tests.service.engine.test_event_loop import in_a_loop


def test_each_client_has_one_turn_after_the_other() -> None:
    def inside() -> list[str]:
        turns, done = Turns(get_hub().loop), []
        for client, name in [("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1"), ("c", "c1"), ("b", "b2")]:
            turns.add(client, lambda name=name: done.append(name))
        while len(done) < 6:
            gevent.sleep(0)
        return done

    assert in_a_loop(inside) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_work_that_adds_work_goes_to_the_end_of_the_line() -> None:
    def inside() -> list[str]:
        turns, done = Turns(get_hub().loop), []

        def greedy() -> None:
            done.append("greedy")
            if len(done) < 50:
                turns.add("greedy", greedy)

        turns.add("greedy", greedy)
        turns.add("other", lambda: done.append("other"))
        while len(done) < 50:
            gevent.sleep(0)
        return done

    assert in_a_loop(inside)[:3] == ["greedy", "other", "greedy"]


def test_the_loop_looks_at_other_things_between_two_spells() -> None:
    def inside() -> int:
        turns, done = Turns(get_hub().loop), []

        def slow() -> None:
            time.sleep(SLICE_S)
            done.append(1)

        for _ in range(5):
            turns.add("a", slow)
        rounds = 0
        while len(done) < 5:
            gevent.sleep(0)
            rounds += 1
        return rounds

    assert in_a_loop(inside) >= 4
