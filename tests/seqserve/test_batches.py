from hypothesis import given
from hypothesis import strategies as st

from seqserve.batches import plan_rows


@given(st.lists(st.integers(0, 3000), max_size=60))
def test_batches_are_few_rows_of_bounded_size(lengths: list[int]) -> None:
    batches = plan_rows(lengths)
    assert sorted(row for batch in batches for row in batch) == [row for row, length in enumerate(lengths) if length]
    ordered = [lengths[row] for batch in batches for row in batch]
    assert ordered == sorted(ordered)
    for batch in batches:
        longest = max(lengths[row] for row in batch)
        assert 1 <= len(batch) <= 16
        assert len(batch) == 1 or len(batch) * longest <= 2048
