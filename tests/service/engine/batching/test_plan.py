"""Planning of batches: every row once, within the limits, at the least cost."""

import itertools
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.service.engine.batching.plan import RUN_TOKENS, STEP_TOKENS, BatchLimits, next_batch, plan_batches

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


def cost(lengths: Sequence[int], batches: Iterable[Iterable[int]]) -> float:
    """A run's fixed cost, and for each step each row and the step's own, in tokens."""
    chosen = [[lengths[row] for row in batch] for batch in batches]
    return sum(RUN_TOKENS + max(each) * (len(each) + STEP_TOKENS) for each in chosen)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=9), LIMITS)
def test_no_other_cut_costs_less(lengths: list[int], limits: BatchLimits) -> None:
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    costs = []
    for cuts in itertools.product([False, True], repeat=len(order) - 1):
        ends = [at for at, cut in enumerate(cuts, 1) if cut]
        batches = [order[start:end] for start, end in itertools.pairwise([0, *ends, len(order)])]
        if all(
            len(batch) == 1
            or (len(batch) <= limits.max_rows and len(batch) * lengths[batch[0]] <= limits.max_padded_tokens)
            for batch in batches
        ):
            costs.append(cost(lengths, batches))
    assert cost(lengths, plan_batches(lengths, limits)) == pytest.approx(min(costs))


@given(LENGTHS, LIMITS)
def test_batches_come_longest_first(lengths: list[int], limits: BatchLimits) -> None:
    planned = [lengths[row] for batch in plan_batches(lengths, limits) for row in batch]
    assert planned == sorted(lengths, reverse=True)


@given(LENGTHS.filter(bool), LIMITS)
def test_the_first_row_is_in_the_next_batch(lengths: list[int], limits: BatchLimits) -> None:
    batch = next_batch(lengths, limits)
    assert 0 in batch
    assert len(set(batch)) == len(batch) <= limits.max_rows
    assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= limits.max_padded_tokens


@given(st.lists(st.integers(1, 300), min_size=1, max_size=32))
def test_the_next_batch_is_one_of_the_plan_of_few_rows(lengths: list[int]) -> None:
    assert next_batch(lengths, BatchLimits()) in plan_batches(lengths, BatchLimits())


def test_rows_of_like_length_share_a_batch() -> None:
    assert plan_batches([10, 40, 11, 38, 9], BatchLimits(16, 4096)) == [[1, 3], [2, 0, 4]]


def test_short_rows_share_a_batch_whatever_their_proportion() -> None:
    assert plan_batches([1, 4, 2], BatchLimits()) == [[1, 2, 0]]


def test_sixteen_rows_are_a_batch() -> None:
    assert [len(batch) for batch in plan_batches([5] * 40, BatchLimits())] == [16, 16, 8]


@pytest.mark.parametrize("num_longer", [0, 7, 16, 40, 99])
def test_among_many_rows_the_next_batch_is_full(num_longer: int) -> None:
    lengths = [20] + [21] * num_longer + [19] * (99 - num_longer)
    assert len(next_batch(lengths, BatchLimits())) == 16
