"""What one client may hold, and what is left to others."""

import pytest

from service.engine.shares import Shares


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
        shares.give(client, held)
    assert (shares.held, shares.held_by("a")) == (0, 0)
    assert fill(shares, "d") == 500


def test_anything_fits_where_nobody_holds_anything() -> None:
    shares = Shares(100, share=0.5)
    assert shares.take("a", 1_000)
    assert not shares.take("b", 1)
    shares.give("a", 1_000)
    assert shares.take("b", 1)


def test_a_client_that_holds_nothing_may_take_more_than_its_share() -> None:
    shares = Shares(100, share=0.5)
    assert shares.take("a", 10)
    assert shares.take("b", 70)
    assert not shares.take("b", 1)


def test_large_amounts_leave_room_for_small_ones() -> None:
    shares = Shares(160, share=1.0)
    assert fill(shares, "a", 20) == 7
    assert fill(shares, "b", 10) == 2


def test_what_is_left_is_what_can_be_taken() -> None:
    shares = Shares(1000, share=0.5)
    assert shares.take("a", 10)
    assert shares.take("b", 300)
    left = shares.left_to("a")
    assert shares.fits("a", left)
    assert not shares.fits("a", left + 1)
