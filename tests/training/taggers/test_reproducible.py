"""A row's answer is the same bytes alone and in any batch, whatever its neighbours, its place and its padding."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqserve.training.taggers.graph import TaggerOptions
from tests.training.export.sessions import open_tagger, random_batch, row_alone
from tests.training.export.taggers import NUM_CHARACTERS, NUM_WORDS, random_tagger, weights_of

# Sizes that are no multiples of a vector register, and one layer wide enough to be cut in blocks.
MODELS = {
    "cnn": {"characters": "cnn", "hidden_size": 9},
    "char lstm, BIO": {"characters": "lstm", "hidden_size": 11, "scheme": "BIO"},
    "wide": {"characters": "cnn5", "hidden_size": 150, "num_layers": 1, "widths": (300,), "projection_dim": 100},
}


@pytest.fixture(scope="module", params=MODELS)
def graph(request, tmp_path_factory):
    tagger, tags = random_tagger(**MODELS[request.param])
    scheme = MODELS[request.param].get("scheme", "BIOES")
    return open_tagger(tmp_path_factory.mktemp("model"), weights_of(tagger), TaggerOptions(tags, scheme))


def widened(feeds, tokens, chars):
    """The same rows with more padding."""
    return {
        "words": np.pad(feeds["words"], ((0, 0), (0, tokens))),
        "chars": np.pad(feeds["chars"], ((0, 0), (0, tokens), (0, chars))),
        "lengths": feeds["lengths"],
    }


def assert_rows_are_their_own(graph, feeds, rows):
    together = graph.run(feeds)
    for row in rows:
        length = feeds["lengths"][row]
        for name, alone in graph.run(row_alone(feeds, row)).items():
            assert alone[0].tobytes() == together[name][row, :length].tobytes(), f"{name} of row {row}"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 60), st.integers(1, 12)),
    padding=st.tuples(st.integers(0, 5), st.integers(0, 5)),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_row_alone_equals_the_row_in_any_batch(graph, shape, padding, seed):
    generator = np.random.default_rng(seed)
    feeds = random_batch(generator, shape, num_words=NUM_WORDS, num_characters=NUM_CHARACTERS)
    rows = generator.choice(shape[0], size=min(shape[0], 6), replace=False)
    assert_rows_are_their_own(graph, widened(feeds, *padding), rows)


def test_every_row_of_a_large_batch(graph):
    feeds = random_batch(np.random.default_rng(5), (40, 60, 9), num_words=NUM_WORDS, num_characters=NUM_CHARACTERS)
    assert_rows_are_their_own(graph, feeds, range(40))


def test_the_order_of_rows_does_not_matter(graph):
    feeds = random_batch(np.random.default_rng(6), (17, 23, 9), num_words=NUM_WORDS, num_characters=NUM_CHARACTERS)
    order = np.random.default_rng(7).permutation(17)
    shuffled = graph.run({name: np.ascontiguousarray(array[order]) for name, array in feeds.items()})
    for name, output in graph.run(feeds).items():
        assert output[order].tobytes() == shuffled[name].tobytes(), name
