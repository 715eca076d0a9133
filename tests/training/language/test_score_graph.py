"""The score graph against torch's modules and against the equations in NumPy."""

import numpy as np
import pytest

from seqserve.vocabulary.tokens import START_ID
from tests.training.export.language_models import (
    MODELS,
    NumpyModel,
    open_score,
    random_model,
    score_feeds,
    torch_log_probs,
)

SHAPES = {
    "one token": [1],
    "one row": [7],
    "longest first": [9, 4, 1, 5],
    "longest last": [1, 2, 1, 8],
    "all equal": [3, 3, 3],
}


@pytest.fixture(scope="module", params=MODELS)
def scored_model(request, tmp_path_factory):
    trained = random_model(**MODELS[request.param])
    return trained, open_score(tmp_path_factory.mktemp("score"), trained)


def random_rows(trained, lengths, seed=0):
    generator = np.random.default_rng(seed)
    lengths = np.array(lengths)
    targets = generator.integers(0, trained.num_ids, (len(lengths), lengths.max()))
    return targets, lengths


@pytest.mark.parametrize("lengths", SHAPES.values(), ids=SHAPES)
def test_log_probs_are_those_of_torch(scored_model, lengths):
    trained, graph = scored_model
    targets, lengths = random_rows(trained, lengths)
    outputs = graph.run(score_feeds(trained, targets, lengths, num_top=5))
    for row, length in enumerate(lengths):
        own = targets[row : row + 1, :length]
        expected = torch_log_probs(trained, score_feeds(trained, own, lengths[:1])["previous_ids"])[0]  # (T,V)
        chosen = expected[np.arange(length), own[0]]
        np.testing.assert_allclose(outputs["log_probs"][row, :length], chosen, atol=1e-5, rtol=0)
        best = np.sort(expected, axis=1)[:, :-6:-1]
        np.testing.assert_allclose(outputs["top_log_probs"][row, :length], best, atol=1e-5, rtol=0)
        found = np.take_along_axis(expected, outputs["top_ids"][row, :length].astype(np.int64), axis=1)
        np.testing.assert_allclose(found, best, atol=2e-5, rtol=0)
        above = (expected > chosen[:, None] + 1e-5).sum(axis=1)
        not_below = (expected > chosen[:, None] - 1e-5).sum(axis=1)
        assert ((outputs["ranks"][row, :length] >= above + 1) & (outputs["ranks"][row, :length] <= not_below)).all()


def test_log_probs_and_states_are_those_of_the_equations(scored_model):
    trained, graph = scored_model
    targets, lengths = random_rows(trained, [6, 2, 4], seed=1)
    outputs = graph.run(score_feeds(trained, targets, lengths))
    model = NumpyModel(trained)
    for row, length in enumerate(lengths):
        previous, state = START_ID, np.zeros(sum(trained.part_sizes()))
        for place in range(length):
            log_probs, state = model.read(previous, state)
            previous = targets[row, place]
            assert outputs["log_probs"][row, place] == pytest.approx(log_probs[previous], abs=1e-5)
        np.testing.assert_allclose(outputs["next_state"][row], state, atol=1e-5)


def test_zeros_follow_a_rows_end(scored_model):
    trained, graph = scored_model
    targets, lengths = random_rows(trained, [2, 6, 3], seed=2)
    outputs = graph.run(score_feeds(trained, targets, lengths, num_top=3))
    beyond = np.arange(6) >= lengths[:, None]
    for name in ("log_probs", "ranks", "top_ids", "top_log_probs"):
        assert not outputs[name][beyond].any(), name
    assert outputs["log_probs"][~beyond].all()


def test_what_follows_a_rows_end_does_not_matter(scored_model):
    trained, graph = scored_model
    targets, lengths = random_rows(trained, [2, 6, 3], seed=3)
    changed = np.where(np.arange(6) < lengths[:, None], targets, (targets + 1) % trained.num_ids)
    before = graph.run(score_feeds(trained, targets, lengths, num_top=2))
    for name, after in graph.run(score_feeds(trained, changed, lengths, num_top=2)).items():
        assert after.tobytes() == before[name].tobytes(), name


def test_a_text_in_two_runs_is_the_text_in_one(scored_model):
    trained, graph = scored_model
    targets, lengths = random_rows(trained, [9, 9], seed=4)
    feeds = score_feeds(trained, targets, lengths)
    whole = graph.run(feeds)
    first = graph.run(score_feeds(trained, targets[:, :4], np.array([4, 4])))
    rest = {**score_feeds(trained, targets[:, 4:], np.array([5, 5])), "state": first["next_state"]}
    rest["previous_ids"][:, 0] = targets[:, 3]
    second = graph.run(rest)
    joined = np.concatenate([first["log_probs"], second["log_probs"]], axis=1)
    assert joined.tobytes() == whole["log_probs"].tobytes()
    assert second["next_state"].tobytes() == whole["next_state"].tobytes()


def test_without_alternatives_the_scores_are_the_same_bits(scored_model):
    trained, graph = scored_model
    targets, lengths = random_rows(trained, [8, 3, 8, 1, 5], seed=5)
    plain = graph.run(score_feeds(trained, targets, lengths))
    assert plain["top_ids"].shape == plain["top_log_probs"].shape == (5, 8, 0)
    assert not plain["ranks"].any()
    for num_top in (1, 20):
        full = graph.run(score_feeds(trained, targets, lengths, num_top=num_top))
        assert full["log_probs"].tobytes() == plain["log_probs"].tobytes()
        assert full["next_state"].tobytes() == plain["next_state"].tobytes()


def test_the_best_id_has_the_same_float_as_target_and_as_alternative(scored_model):
    trained, graph = scored_model
    targets, lengths = random_rows(trained, [6, 6], seed=6)
    for place in range(6):  # the best of a place may depend on those before
        best = graph.run(score_feeds(trained, targets, lengths, num_top=1))
        targets[:, place] = best["top_ids"][:, place, 0]
    outputs = graph.run(score_feeds(trained, targets, lengths, num_top=4))
    assert (outputs["ranks"] == 1).all()
    assert outputs["top_log_probs"][:, :, 0].tobytes() == outputs["log_probs"].tobytes()


def test_more_alternatives_than_ids_gives_them_all(tmp_path):
    trained = random_model(num_ids=7)
    graph = open_score(tmp_path, trained)
    outputs = graph.run(score_feeds(trained, np.array([[3, 2]]), np.array([2]), num_top=20))
    assert (np.sort(outputs["top_ids"], axis=2) == np.arange(7)).all()
    assert np.exp(outputs["top_log_probs"].astype(np.float64)).sum(axis=2) == pytest.approx(1, abs=1e-6)


def test_equal_ids_come_in_their_order_and_share_a_rank(tmp_path):
    trained = random_model(num_ids=20)
    for name in ("softmax.weight", "softmax.bias"):
        trained.weights[name][4:9] = trained.weights[name][4]
    trained.weights["softmax.bias"][4:9] = 50
    graph = open_score(tmp_path, trained)
    outputs = graph.run(score_feeds(trained, np.array([[6, 8]]), np.array([2]), num_top=5))
    assert outputs["top_ids"].tolist() == [[[4, 5, 6, 7, 8]] * 2]
    assert outputs["ranks"].tolist() == [[1, 1]]


@pytest.mark.parametrize("table_dtype", ["float16"])
@pytest.mark.parametrize("options", [{"tied": True}, {"num_ids": 70, "cutoffs": (10, 30)}], ids=str)
def test_half_precision_is_that_of_the_tables_alone(tmp_path, options, table_dtype):
    trained = random_model(**options)
    large = {name for name in trained.weights if name.startswith(("embedding", "softmax")) and "bias" not in name}
    for name in large:
        trained.weights[name][:] = trained.weights[name].astype(np.float16)
    targets, lengths = random_rows(trained, [5, 8])
    feeds = score_feeds(trained, targets, lengths, num_top=3)
    exact = open_score(tmp_path / "a", trained).run(feeds)
    for name, output in open_score(tmp_path / "b", trained, table_dtype=table_dtype).run(feeds).items():
        assert output.tobytes() == exact[name].tobytes(), name
