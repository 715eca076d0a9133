"""Planning of batches: every row once, within the limits."""

from hypothesis import given
from hypothesis import strategies as st

from service.engine.plan import SHORT, BatchLimits, next_batch, plan_batches

LENGTHS = st.lists(st.integers(1, 300), max_size=120)
LIMITS = st.builds(BatchLimits, st.integers(1, 20), st.integers(1, 2000))


@given(LENGTHS, LIMITS)
def test_every_row_is_planned_exactly_once(lengths: list[int], limits: BatchLimits) -> None:
    assert sorted(row for batch in plan_batches(lengths, limits) for row in batch) == list(range(len(lengths)))


@given(LENGTHS, LIMITS)
def test_limits_hold_but_for_a_single_long_row(lengths: list[int], limits: BatchLimits) -> None:
    for batch in plan_batches(lengths, limits):
        padded = len(batch) * max(lengths[row] for row in batch)
        assert len(batch) <= limits.max_rows
        assert padded <= limits.max_padded_tokens or len(batch) == 1


@given(LENGTHS, LIMITS)
def test_at_most_half_of_a_batch_is_padding_unless_it_is_short(lengths: list[int], limits: BatchLimits) -> None:
    for batch in plan_batches(lengths, limits):
        chosen = [lengths[row] for row in batch]
        assert max(chosen) <= SHORT or min(chosen) * 2 >= max(chosen)


@given(LENGTHS, LIMITS)
def test_batches_come_longest_first(lengths: list[int], limits: BatchLimits) -> None:
    planned = [lengths[row] for batch in plan_batches(lengths, limits) for row in batch]
    assert planned == sorted(lengths, reverse=True)


@given(LENGTHS.filter(bool), LIMITS)
def test_the_first_row_is_in_the_next_batch(lengths: list[int], limits: BatchLimits) -> None:
    assert 0 in next_batch(lengths, limits)


def test_rows_of_like_length_share_a_batch() -> None:
    assert plan_batches([10, 40, 11, 38, 9], BatchLimits(16, 4096)) == [[1, 3], [2, 0, 4]]


def test_sixteen_rows_are_a_batch() -> None:
    assert [len(batch) for batch in plan_batches([5] * 40, BatchLimits())] == [16, 16, 8]
