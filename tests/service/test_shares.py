"""Room that clients share: one alone has its share, others find room, and nobody is told to come back for ever."""

import pytest

from service.engine.shares import Shares


def test_a_client_alone_has_its_share_and_another_finds_room() -> None:
    room = Shares(100, share=0.5)
    assert [room.take("greedy", 5) for _ in range(11)] == [True] * 10 + [False]
    assert room.take("honest", 5)
    assert room.held == 55
    assert (room.held_by("greedy"), room.held_by("honest"), room.num_clients) == (50, 5, 2)


def test_some_room_is_left_whatever_the_number_of_greedy_clients() -> None:
    room = Shares(1000, share=0.5)
    taken = True
    while taken:
        taken = any([room.take(f"greedy {number}", 1) for number in range(20)])
    assert room.held < 1000
    assert room.take("honest", 1)


def test_a_client_that_may_have_all_fills_the_room() -> None:
    room = Shares(100, share=1.0)
    assert room.take("", 90)
    assert room.take("", 10)
    assert not room.take("", 1)
    assert room.is_full_for("", 1)


def test_what_is_refused_for_the_share_finds_room_in_another_name() -> None:
    room = Shares(100, share=0.5)
    assert room.take("greedy", 50)
    assert not room.fits("greedy", 4)
    assert not room.is_full_for("greedy", 4)
    assert room.fits("honest", 4)


def test_an_amount_given_back_may_be_taken_again() -> None:
    room = Shares(100, share=0.5)
    assert room.take("greedy", 50)
    room.give("greedy", 50)
    assert (room.held, room.num_clients) == (0, 0)
    assert room.take("greedy", 50)


def test_empty_room_takes_any_amount() -> None:
    room = Shares(100, share=0.5)
    assert room.take("one", 1000)
    assert not room.take("other", 1)


@pytest.mark.parametrize("amount", [60, 100])
def test_the_first_amount_of_a_client_finds_room_beside_a_greedy_one(amount: int) -> None:
    strict, room = Shares(100, share=0.5), Shares(100, share=0.5, first=25)
    for each in (strict, room):
        while each.take("greedy", 5):
            pass
    assert not strict.take("honest", amount)
    assert room.take("honest", amount)
    assert not room.take("honest", amount)
    assert not room.take("greedy", 1)
