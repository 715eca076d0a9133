"""Clipping keeps an exploding training finite, either way; without it the same training is lost."""

import dataclasses

import numpy as np
import pytest
import torch

from seqserve.training.gradients.agreement import draw_sentences
from seqserve.training.gradients.config import ExplosionConfig, GradientModelConfig
from seqserve.training.gradients.explosion import compare_clipping, exploding_model, train_exploding
from seqserve.training.gradients.model import to_batch

SMALL = GradientModelConfig(embedding_dim=8, hidden_size=16)
EXPLODING = ExplosionConfig(gain=2.0, num_steps=30)


@pytest.fixture(scope="module")
def runs():
    return compare_clipping(EXPLODING, SMALL, batches(), seed=1)


def batches():
    return [to_batch(draw_sentences(np.random.default_rng(1), 50, 8, part="train"))]


def test_without_clipping_the_run_does_not_stay_finite(runs):
    assert not runs["none"].is_finite
    assert runs["none"].num_steps < EXPLODING.num_steps


@pytest.mark.parametrize("name", ["value", "norm"])
def test_with_clipping_it_does_and_learns(runs, name):
    assert runs[name].is_finite
    assert runs[name].num_steps == EXPLODING.num_steps
    assert runs[name].last_finite_loss < runs[name].first_loss


def test_all_runs_begin_alike_and_have_gradients_to_clip(runs):
    assert len({run.first_loss for run in runs.values()}) == 1
    assert all(run.largest_finite_norm > 10 * EXPLODING.clip_norm for run in runs.values())


def test_recurrent_weights_that_keep_lengths_do_not_explode():
    calm = dataclasses.replace(EXPLODING, gain=1.0)
    run = train_exploding(exploding_model(calm, SMALL, seed=1), batches(), calm, norm=0.0, value=0.0)
    assert run.is_finite


def test_the_gain_is_that_of_the_recurrent_weights():
    weight = exploding_model(EXPLODING, SMALL, seed=1).cell.get_parameter("weight_hh_l0")
    torch.testing.assert_close(torch.linalg.svdvals(weight), torch.full((16,), EXPLODING.gain))
