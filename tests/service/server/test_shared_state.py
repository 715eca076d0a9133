"""What master and workers share."""

import os

import pytest

from seqserve.service.server.shared_state import SharedState


def test_a_failure_is_read_by_the_parent() -> None:
    shared = SharedState()
    assert shared.take_failure() == ""
    child = os.fork()
    if child == 0:
        shared.report_failure("weights.safetensors: wrong checksum “é”")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert shared.take_failure() == "weights.safetensors: wrong checksum “é”"
    assert shared.take_failure() == ""


def test_a_message_longer_than_the_page_is_cut() -> None:
    shared = SharedState()
    shared.report_failure("x" * 10_000)
    failure = shared.take_failure()
    assert failure == "x" * len(failure)
    assert 1000 < len(failure) < 5000


def test_draining_is_seen_by_the_children() -> None:
    shared = SharedState()
    assert (shared.is_draining, shared.drain_left_s) == (False, 0.0)
    shared.start_draining(60)
    child = os.fork()
    if child == 0:
        os._exit(0 if shared.is_draining and 50 < shared.drain_left_s <= 60 else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_no_time_is_left_once_it_has_passed() -> None:
    shared = SharedState()
    shared.start_draining(0)
    assert (shared.is_draining, shared.drain_left_s) == (True, 0.0)


def test_connections_of_workers_that_serve_are_compared() -> None:
    shared = SharedState()
    assert (shared.fair_connections(), shared.serves(3)) == (1, False)
    shared.report(3, num_connections=7)
    shared.report(5, num_connections=9)
    assert (shared.fair_connections(), shared.serves(3), shared.serves(4)) == (8, True, False)
    shared.clear(3)
    assert (shared.fair_connections(), shared.serves(3)) == (10, False)


@pytest.mark.parametrize(("fewest", "fair", "most"), [(0, 1, 2), (1, 2, 3), (8, 9, 12), (16, 18, 22), (160, 171, 202)])
def test_some_difference_is_fair_and_more_is_borne(fewest: int, fair: int, most: int) -> None:
    shared = SharedState()
    shared.report(0, num_connections=fewest)
    shared.report(1, num_connections=1000)
    assert shared.fair_connections() == fair
    assert not shared.has_far_more(most)
    assert shared.has_far_more(most + 1)


def test_a_failure_may_name_a_file_that_is_not_utf_8() -> None:
    shared = SharedState()
    shared.report_failure("\udcff/words.txt: wrong checksum")
    assert shared.take_failure() == "\\udcff/words.txt: wrong checksum"


def test_a_worker_is_retired_until_its_slot_is_cleared() -> None:
    shared = SharedState()
    shared.report(2, num_connections=1)
    shared.retire(2)
    assert [shared.is_retired(slot) for slot in (1, 2, 3)] == [False, True, False]
    assert shared.serves(2)
    assert (shared.fair_connections(), shared.serves(3)) == (2, False)
    shared.clear(2)
    assert not shared.is_retired(2)
