"""What master and workers share."""

import os

import pytest

from service.board import Board


def test_a_failure_is_read_by_the_parent() -> None:
    board = Board()
    assert board.failure == ""
    child = os.fork()
    if child == 0:
        board.report_failure("weights.safetensors: wrong checksum “é”")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert board.failure == "weights.safetensors: wrong checksum “é”"


def test_a_message_longer_than_the_page_is_cut() -> None:
    board = Board()
    board.report_failure("x" * 10_000)
    assert board.failure == "x" * len(board.failure)
    assert 1000 < len(board.failure) < 5000


def test_draining_is_seen_by_the_children() -> None:
    board = Board()
    assert (board.is_draining, board.drain_left_s) == (False, 0.0)
    board.start_draining(60)
    child = os.fork()
    if child == 0:
        os._exit(0 if board.is_draining and 50 < board.drain_left_s <= 60 else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_no_time_is_left_once_it_has_passed() -> None:
    board = Board()
    board.start_draining(0)
    assert (board.is_draining, board.drain_left_s) == (True, 0.0)


def test_connections_of_workers_that_serve_are_compared() -> None:
    board = Board()
    assert (board.fair_connections(), board.serves(3)) == (1, False)
    board.report(3, num_connections=7)
    board.report(5, num_connections=9)
    assert (board.fair_connections(), board.serves(3), board.serves(4)) == (8, True, False)
    board.clear(3)
    assert (board.fair_connections(), board.serves(3)) == (10, False)


@pytest.mark.parametrize(("fewest", "fair", "most"), [(0, 1, 2), (1, 2, 3), (8, 9, 12), (16, 18, 22), (160, 171, 202)])
def test_some_difference_is_fair_and_more_is_borne(fewest: int, fair: int, most: int) -> None:
    board = Board()
    board.report(0, num_connections=fewest)
    board.report(1, num_connections=1000)
    assert board.fair_connections() == fair
    assert not board.has_far_more(most)
    assert board.has_far_more(most + 1)


def test_a_cleared_failure_is_none() -> None:
    board = Board()
    board.report_failure("weights.safetensors: wrong checksum")
    board.report_failure("")
    assert board.failure == ""
