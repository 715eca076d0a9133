"""The step graph is the score graph one token at a time, and draws from what the equations say."""

import numpy as np
import pytest

from seqserve.vocabulary.tokens import START_ID
from tests.toy_language_model import drawn_from, step_batch
from tests.training.export.language_models import (
    MODELS,
    NumpyModel,
    chi_square_limit,
    open_score,
    open_step,
    random_model,
    score_feeds,
)

NUM_STEPS = 8


@pytest.fixture(scope="module", params=MODELS)
def graphs(request, tmp_path_factory):
    trained = random_model(**MODELS[request.param])
    folder = tmp_path_factory.mktemp("graphs")
    return trained, open_score(folder / "score", trained), open_step(folder / "step", trained)


def sampled(trained, step, num_rows, *, seed=0, **parameters):
    """Ids (B,T) drawn one after the other, their log_probs (B,T), the last state (B,S)."""
    generator = np.random.default_rng(seed)
    state = np.zeros((num_rows, sum(trained.part_sizes())), np.float32)
    previous, ids, log_probs = np.full(num_rows, START_ID), [], []
    for _ in range(NUM_STEPS):
        batch = step_batch(previous, state, uniforms=generator.random(num_rows, dtype=np.float32), **parameters)
        outputs = step.run(batch.feeds())
        previous, state = outputs["next_ids"], outputs["next_state"]
        ids.append(previous)
        log_probs.append(outputs["log_probs"])
    return np.stack(ids, axis=1), np.stack(log_probs, axis=1), state


@pytest.mark.parametrize("parameters", [{}, {"temperatures": 1.4, "top_ps": 0.9}], ids=["plain", "cut"])
@pytest.mark.parametrize("num_rows", [1, 2, 5, 16, 33])
def test_steps_are_the_score_bit_for_bit(graphs, num_rows, parameters):
    trained, score, step = graphs
    ids, log_probs, state = sampled(trained, step, num_rows, **parameters)
    scored = score.run(score_feeds(trained, ids, np.full(num_rows, NUM_STEPS)))
    assert scored["log_probs"].tobytes() == log_probs.tobytes()
    assert scored["next_state"].tobytes() == state.tobytes()


def test_draws_follow_the_equations(graphs):
    trained, _, step = graphs
    model = NumpyModel(trained)
    state = np.zeros((1, sum(trained.part_sizes())), np.float32)
    exact_state, previous = state[0].astype(np.float64), START_ID
    generator = np.random.default_rng(1)
    for _ in range(NUM_STEPS):
        batch = step_batch([previous], state, uniforms=generator.random(1), temperatures=1.3, banned_ids=[[1]])
        outputs = step.run(batch.feeds())
        log_probs, exact_state = model.read(previous, exact_state)
        previous, state = int(outputs["next_ids"][0]), outputs["next_state"]
        probs = drawn_from(log_probs, batch, 0)
        end = np.cumsum(probs)[previous]
        assert end - probs[previous] - 1e-5 <= batch.uniforms[0] <= end + 1e-5
        assert outputs["log_probs"][0] == pytest.approx(log_probs[previous], abs=1e-5)
        np.testing.assert_allclose(state[0], exact_state, atol=1e-5)


def test_a_row_alone_is_the_row_in_a_batch(graphs):
    trained, _, step = graphs
    generator, num_rows = np.random.default_rng(2), 17
    batch = step_batch(
        generator.integers(-1, trained.num_ids, num_rows),
        generator.normal(0, 0.5, (num_rows, sum(trained.part_sizes()))),
        uniforms=generator.random(num_rows),
        temperatures=np.choose(np.arange(num_rows) % 4, [1, 0, 1, 0.7]),
        top_ks=np.where(np.arange(num_rows) % 5 == 1, 7, 0),
        top_ps=np.where(np.arange(num_rows) % 3 == 1, 0.8, 1),
        min_ps=np.where(np.arange(num_rows) % 7 == 2, 0.05, 0),
        repetition_penalties=np.where(np.arange(num_rows) % 5 == 3, 1.3, 1),
        banned_ids=[generator.permutation(trained.num_ids)[: row % 4].tolist() for row in range(num_rows)],
        repeated_ids=[generator.permutation(trained.num_ids)[: row % 6].tolist() for row in range(num_rows)],
    )
    feeds = batch.feeds()
    together = step.run(feeds)
    for row in range(num_rows):
        alone = step.run({name: np.ascontiguousarray(array[row : row + 1]) for name, array in feeds.items()})
        for name, output in alone.items():
            assert output[0].tobytes() == together[name][row].tobytes(), f"{name} of row {row}"


def test_all_banned_draws_nothing_and_scores_nothing(graphs):
    trained, _, step = graphs
    state = np.zeros((2, sum(trained.part_sizes())))
    banned = [list(range(trained.num_ids)), list(range(1, trained.num_ids))]
    outputs = step.run(step_batch([START_ID, 3], state, banned_ids=banned, top_ks=3).feeds())
    assert outputs["next_ids"].tolist() == [-1, 0]
    assert outputs["log_probs"][0] == 0
    assert outputs["log_probs"][1] < 0
    assert np.isfinite(outputs["next_state"]).all()


def test_log_probs_are_the_models_own_whatever_is_cut(graphs):
    trained, _, step = graphs
    state = np.zeros((1, sum(trained.part_sizes())))
    plain = step.run(step_batch([2], state, temperatures=0.0).feeds())
    cut = step.run(
        step_batch(
            [2], state, temperatures=0.2, top_ks=1, top_ps=0.3, repetition_penalties=1.5, banned_ids=[[1]]
        ).feeds()
    )
    if plain["next_ids"] == cut["next_ids"]:
        assert plain["log_probs"].tobytes() == cut["log_probs"].tobytes()
    assert (cut["log_probs"] < 0).all()


@pytest.mark.parametrize("temperature", [1.0, 0.999], ids=["by clusters", "all ids"])
def test_frequencies_of_an_adaptive_softmax_are_those_of_the_equations(tmp_path, temperature):
    trained = random_model(num_ids=70, cutoffs=(10, 30), hidden_size=19)
    step = open_step(tmp_path, trained)
    num_rows, num_runs = 1000, 50
    state = np.random.default_rng(4).normal(0, 1, (1, sum(trained.part_sizes())))
    banned = [[1, 5]] * num_rows
    generator, counts = np.random.default_rng(5), np.zeros(trained.num_ids)
    for _ in range(num_runs):
        uniforms = generator.random(num_rows, dtype=np.float32)
        batch = step_batch(
            [7] * num_rows,
            np.tile(state, (num_rows, 1)),
            uniforms=uniforms,
            banned_ids=banned,
            temperatures=temperature,
        )
        counts += np.bincount(step.run(batch.feeds())["next_ids"], minlength=trained.num_ids)
    log_probs, _ = NumpyModel(trained).read(7, state[0].astype(np.float32).astype(np.float64))
    one = step_batch([7], state, banned_ids=[[1, 5]], temperatures=temperature)
    expected = drawn_from(log_probs, one, 0) * num_rows * num_runs
    assert not counts[[1, 5]].any()
    often = expected >= 5
    statistic = ((counts[often] - expected[often]) ** 2 / expected[often]).sum()
    assert statistic < chi_square_limit(int(often.sum()) - 1)
