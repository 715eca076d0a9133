"""When another worker is tried, and what the log is told."""

from seqserve.service.server.master import LONGEST_PAUSE_S, StartFailures


def test_pauses_double_up_to_the_longest() -> None:
    failures = StartFailures()
    pauses = []
    for _ in range(9):
        failures.note("no memory", 100.0)
        pauses.append(failures.pause_left_s(100.0))
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
    assert failures.pause_left_s(110.0) == LONGEST_PAUSE_S - 10
    assert failures.pause_left_s(131.0) == 0


def test_each_reason_is_new_once() -> None:
    failures = StartFailures()
    assert [failures.note(reason, 0.0) for reason in ("a", "a", "b", "a")] == [True, False, True, False]


def test_nothing_is_left_once_a_worker_has_served() -> None:
    failures = StartFailures()
    assert not failures
    failures.note("a", 5.0)
    assert failures
    failures.clear()
    assert not failures
    assert failures.pause_left_s(5.0) == 0
    assert failures.note("a", 5.0)
    assert failures.pause_left_s(5.0) == 0.5
