"""Room that clients share: one alone has its share, others find room, and nobody is told to come back for ever."""

import pytest

from seqserve.service.engine.shares import Shares


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
    room.release("greedy", 50)
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


def fill(shares: Shares, client: str, amount: int = 1) -> int:
    """Let a client take what it can; return how often it could."""
    count = 0
    while count < 10_000 and shares.take(client, amount):
        count += 1
    return count


@pytest.mark.parametrize(("share", "most"), [(0.5, 500), (0.8, 800), (0.1, 100), (1.0, 1000)])
def test_one_client_alone_gets_its_share(share: float, most: int) -> None:
    assert fill(Shares(1000, share=share), "a") == most


def test_two_greedy_clients_leave_room_for_a_third() -> None:
    shares = Shares(1000, share=0.5)
    first, second, third = (fill(shares, client) for client in "abc")
    assert first == 500
    assert 200 <= second <= 250
    assert third >= 100
    assert shares.held < 1000
    for client, held in zip("abc", (first, second, third), strict=True):
        assert shares.held_by(client) == held
        shares.release(client, held)
    assert (shares.held, shares.held_by("a")) == (0, 0)
    assert fill(shares, "d") == 500


def test_anything_fits_where_nobody_holds_anything() -> None:
    shares = Shares(100, share=0.5)
    assert shares.take("a", 1_000)
    assert not shares.take("b", 1)
    shares.release("a", 1_000)
    assert shares.take("b", 1)


def test_a_client_that_holds_nothing_may_take_more_than_its_share() -> None:
    shares = Shares(100, share=0.5)
    assert shares.take("a", 10)
    assert shares.take("b", 70)
    assert not shares.take("b", 1)


def test_what_is_left_is_what_can_be_taken() -> None:
    shares = Shares(1000, share=0.5)
    assert shares.take("a", 10)
    assert shares.take("b", 300)
    left = shares.left_to("a")
    assert shares.fits("a", left)
    assert not shares.fits("a", left + 1)
