"""The graph of a classifier against the torch model it was made from; a row's answer is its own."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqserve.training.export.cells.table import CELLS
from tests.training.export.classifiers import open_classifier_graph, random_classifier, torch_probs
from tests.training.export.sessions import random_batch, row_alone
from tests.training.export.taggers import NUM_CHARACTERS, NUM_WORDS

SHAPES = [(1, 1, 1), (1, 9, 4), (5, 1, 3), (7, 12, 8)]


def batch(seed, shape):
    return random_batch(np.random.default_rng(seed), shape, num_words=NUM_WORDS, num_characters=NUM_CHARACTERS)


@pytest.mark.parametrize("pooling", ["last", "middle", "mean", "max"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_direction_and_pooling_equals_torch(tmp_path, cell, bidirectional, pooling):
    model = random_classifier(cell=cell, bidirectional=bidirectional, pooling=pooling, num_layers=2)
    graph = open_classifier_graph(tmp_path, model, cell=cell)
    for seed, shape in enumerate(SHAPES):
        feeds = batch(seed, shape)
        np.testing.assert_allclose(graph.run(feeds)["probs"], torch_probs(model, feeds), atol=1e-5)


@pytest.mark.parametrize("characters", ["lstm", "none"])
def test_feed_forward_layers_and_other_characters_equal_torch(tmp_path, characters):
    model = random_classifier(characters=characters, feed_forward=(7, 5), num_labels=2)
    graph = open_classifier_graph(tmp_path, model, cell="lstm")
    feeds = batch(3, (6, 10, 5))
    np.testing.assert_allclose(graph.run(feeds)["probs"], torch_probs(model, feeds), atol=1e-5)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cell=st.sampled_from(sorted(CELLS)),
    pooling=st.sampled_from(["last", "middle", "mean", "max"]),
    sizes=st.tuples(st.integers(1, 3), st.integers(1, 150), st.booleans()),
    shape=st.tuples(st.integers(1, 20), st.integers(1, 40), st.integers(1, 6)),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_row_of_any_model_is_the_same_bits_alone_and_in_a_batch(tmp_path_factory, cell, pooling, sizes, shape, seed):
    num_layers, hidden_size, bidirectional = sizes
    model = random_classifier(
        seed,
        cell=cell,
        pooling=pooling,
        num_layers=num_layers,
        hidden_size=hidden_size,
        bidirectional=bidirectional,
        feed_forward=(11,),
    )
    graph = open_classifier_graph(tmp_path_factory.mktemp("model"), model, cell=cell, table_dtype="float16")
    feeds = batch(seed, shape)
    together = graph.run(feeds)["probs"]
    for row in range(shape[0]):
        assert graph.run(row_alone(feeds, row))["probs"][0].tobytes() == together[row].tobytes(), f"row {row}"
