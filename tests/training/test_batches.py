import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seqserve.training.batches import plan_epoch, plan_evaluation

LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=300)


@given(lengths=LENGTHS, batch_size=st.integers(1, 40), seed=st.integers(0, 99))
def test_an_epoch_sees_every_sentence_once(lengths, batch_size, seed):
    plan = plan_epoch(lengths, batch_size, np.random.default_rng(seed))
    assert sorted(i for batch in plan for i in batch) == list(range(len(lengths)))
    assert max(map(len, plan)) <= batch_size


@given(lengths=LENGTHS, seed=st.integers(0, 99))
def test_the_same_generator_gives_the_same_epoch(lengths, seed):
    first, second = (plan_epoch(lengths, 8, np.random.default_rng(seed)) for _ in range(2))
    assert first == second


def test_epochs_differ():
    lengths = list(range(1, 65))
    assert plan_epoch(lengths, 4, np.random.default_rng([1, 0])) != plan_epoch(
        lengths, 4, np.random.default_rng([1, 1])
    )


def test_like_lengths_go_together():
    lengths = np.random.default_rng(0).integers(1, 100, 1600).tolist()
    plan = plan_epoch(lengths, 32, np.random.default_rng(1))
    padded = sum(len(batch) * max(lengths[i] for i in batch) for batch in plan)
    assert padded < 1.05 * sum(lengths)


@given(lengths=LENGTHS, batch_size=st.integers(1, 40))
def test_evaluation_goes_from_short_to_long(lengths, batch_size):
    order = [i for batch in plan_evaluation(lengths, batch_size) for i in batch]
    assert sorted(order) == list(range(len(lengths)))
    assert [lengths[i] for i in order] == sorted(lengths)
