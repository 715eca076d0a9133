"""The toy that other tests lean on: a proper distribution, the same alone and in a batch, drawn as promised."""

import itertools
import math

import numpy as np
import pytest

from seqserve.vocabulary.tokens import START_ID
from tests.toy_language_model import ToyLanguageModel, drawn_from, step_batch


@pytest.mark.parametrize("level", ["word", "character"])
def test_all_sequences_and_the_remainder_sum_to_one(level: str) -> None:
    toy = ToyLanguageModel(level, tokens=["a", "b"])
    ended, rest = [], []
    for length in range(4):
        for ids in itertools.product([1, 2, 3], repeat=length):
            ended.append([*ids, 0])
            if length == 3:
                rest.append([*ids])
    ends = [math.exp(scored.log_probs.sum(dtype=np.float64)) for scored in toy.score(ended)]
    remainder = sum(math.exp(scored.log_probs.sum(dtype=np.float64)) for scored in toy.score(rest))
    longest = sum(end for end, ids in zip(ends, ended, strict=True) if len(ids) == 4)
    assert sum(ends) + remainder - longest == pytest.approx(1, abs=1e-5)


def test_the_past_matters() -> None:
    toy = ToyLanguageModel()
    assert abs(toy.distribution([2, 4]) - toy.distribution([3, 4])).max() > 0.1


def test_steps_in_a_batch_are_the_steps_alone() -> None:
    toy = ToyLanguageModel()
    states = np.random.default_rng(0).random((3, toy.state_size), np.float32)
    given = {
        "uniforms": [0.1, 0.5, 0.9],
        "temperatures": [0.0, 0.7, 2.0],
        "top_ks": [0, 3, 0],
        "top_ps": [1.0, 1.0, 0.6],
        "repeated_ids": [[2], [], [3, 4]],
    }
    together = toy.run_step(step_batch([START_ID, 2, 7], states, **given))
    for row, previous_id in enumerate([START_ID, 2, 7]):
        alone = {name: values[row : row + 1] for name, values in given.items()}
        result = toy.run_step(step_batch([previous_id], states[row], **alone))
        assert result.next_ids[0] == together.next_ids[row]
        assert result.log_probs[0] == together.log_probs[row]
        assert result.state[0].tobytes() == together.state[row].tobytes()


LOGITS = np.log([0.4, 0.3, 0.2, 0.1])
DRAWN = {
    "plain": ({}, [0.4, 0.3, 0.2, 0.1]),
    "greedy": ({"temperatures": 0.0}, [1, 0, 0, 0]),
    "greedy, best banned": ({"temperatures": 0.0, "banned_ids": [[0]]}, [0, 1, 0, 0]),
    "banned": ({"banned_ids": [[0, 3]]}, [0, 0.6, 0.4, 0]),
    "all banned": ({"banned_ids": [[0, 1, 2, 3]]}, [0, 0, 0, 0]),
    "temperature": ({"temperatures": 0.5}, np.array([16, 9, 4, 1]) / 30),
    "top_k": ({"top_ks": 2}, [4 / 7, 3 / 7, 0, 0]),
    "top_k beyond": ({"top_ks": 9}, [0.4, 0.3, 0.2, 0.1]),
    "top_p": ({"top_ps": 0.5}, [4 / 7, 3 / 7, 0, 0]),
    "tiny top_p": ({"top_ps": 1e-6}, [1, 0, 0, 0]),
    "min_p": ({"min_ps": 0.6}, [4 / 7, 3 / 7, 0, 0]),
    "penalty": ({"repetition_penalties": 2.0, "repeated_ids": [[0]]}, np.array([0.16, 0.3, 0.2, 0.1]) / 0.76),
}


@pytest.mark.parametrize(("given", "expected"), DRAWN.values(), ids=DRAWN)
def test_what_is_cut_is_not_drawn(given: dict[str, object], expected: object) -> None:
    found = drawn_from(LOGITS, step_batch([START_ID], np.zeros(4, np.float32), **given), 0)
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_ties_at_the_border_of_top_k_stay() -> None:
    batch = step_batch([START_ID], np.zeros(3, np.float32), top_ks=1)
    np.testing.assert_allclose(drawn_from(np.zeros(3), batch, 0), np.full(3, 1 / 3))


def test_frequencies_are_those_of_the_distribution() -> None:
    toy = ToyLanguageModel()
    size = 4000
    uniforms = ((np.arange(size) + 0.5) / size).astype(np.float32)  # evenly spread: no chance in it
    states = np.tile(toy.zero_state(), (size, 1))
    drawn = toy.run_step(step_batch([START_ID] * size, states, uniforms=uniforms.tolist())).next_ids
    found = np.bincount(drawn, minlength=8) / size
    np.testing.assert_allclose(found, np.exp(toy.distribution([])), atol=2 / size)
