"""A scored row is the same bytes alone and in any batch, whatever its neighbours, its place and its padding."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.training.export.language_models import MODELS, open_score, random_model, score_feeds


@pytest.fixture(
    scope="module",
    params=["lstm, adaptive", "lstm, tied", *(name for name in MODELS if name.endswith("wide"))],
)
def scored_model(request, tmp_path_factory):
    trained = random_model(**MODELS[request.param])
    return trained, open_score(tmp_path_factory.mktemp("score"), trained)


def row_of(feeds, row, *, num_top):
    """One row without any padding."""
    length = int(feeds["lengths"][row])
    alone = {name: np.ascontiguousarray(feeds[name][row : row + 1, :length]) for name in ("previous_ids", "target_ids")}
    rest = {name: feeds[name][row : row + 1] for name in ("lengths", "state")}
    return {**alone, **rest, "num_top": np.array([num_top], np.int64)}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.tuples(st.integers(1, 33), st.integers(1, 20)),
    num_top=st.sampled_from([0, 1, 5]),
    padding=st.integers(0, 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_row_alone_equals_the_row_in_any_batch(scored_model, shape, num_top, padding, seed):
    trained, graph = scored_model
    generator = np.random.default_rng(seed)
    num_rows, num_tokens = shape
    lengths = generator.integers(1, num_tokens + 1, num_rows)
    targets = generator.integers(0, trained.num_ids, (num_rows, num_tokens + padding))
    feeds = score_feeds(trained, targets, lengths, num_top=num_top)
    feeds["state"] = generator.normal(0, 0.5, feeds["state"].shape).astype(np.float32)
    together = graph.run(feeds)
    for row in generator.choice(num_rows, size=min(num_rows, 5), replace=False):
        for name, alone in graph.run(row_of(feeds, row, num_top=num_top)).items():
            own = together[name][row] if name == "next_state" else together[name][row, : lengths[row]]
            assert alone[0].tobytes() == own.tobytes(), f"{name} of row {row}"
        without = graph.run(row_of(feeds, row, num_top=0))
        assert without["log_probs"][0].tobytes() == together["log_probs"][row, : lengths[row]].tobytes()
