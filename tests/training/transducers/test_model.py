"""The encoder-decoder's module against its equations, and what may not change its numbers."""

import dataclasses

import numpy as np
import pytest
import torch

from seqserve.training.layers.attention import GeneralAttention, mask_of
from seqserve.training.transducers.batch import Pair, batch_pairs
from seqserve.training.transducers.config import (
    DecoderConfig,
    EncoderConfig,
    TransducerDropout,
    TransducerModelConfig,
)
from seqserve.training.transducers.model import Transducer
from seqserve.vocabulary.tokens import EOS_ID, START_ID
from tests.training.export.transducers import MODELS, NUM_SOURCE, NUM_TARGET, random_transducer


def random_pairs(sizes, seed=0):
    generator = np.random.default_rng(seed)
    return [
        Pair(generator.integers(2, NUM_SOURCE, source), np.append(generator.integers(2, NUM_TARGET, target), EOS_ID))
        for source, target in sizes
    ]


def test_attention_is_a_softmax_of_products_and_a_mean():
    torch.manual_seed(0)
    attention, states, memory = GeneralAttention(5, 4), torch.randn(2, 3, 5), torch.randn(2, 6, 4)
    found = attention(states, memory, mask_of(torch.tensor([6, 2]), 6))
    weight = attention.query.weight.detach().double().numpy()
    for row, length in enumerate((6, 2)):
        for step in range(3):
            seen = memory[row, :length].double().numpy()
            scores = seen @ (weight @ states[row, step].double().numpy())
            weights = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
            np.testing.assert_allclose(found[row, step].detach().numpy(), weights @ seen, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_a_pair_costs_the_same_alone_and_padded(name):
    model, _ = random_transducer(**MODELS[name])
    pairs = random_pairs([(1, 0), (7, 3), (4, 9), (2, 2)])
    with torch.no_grad():
        together = model.loss(batch_pairs(pairs)).item()
        alone = [model.loss(batch_pairs([pair])).item() for pair in pairs]
    assert together == pytest.approx(sum(alone), rel=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_a_whole_target_is_its_tokens_one_after_the_other(name):
    model, _ = random_transducer(**MODELS[name])
    batch = batch_pairs(random_pairs([(5, 4), (3, 4)]))
    with torch.no_grad():
        whole = model(batch)
        memory, state = model.encode(batch.source, batch.lengths)
        for step in range(batch.previous.shape[1]):
            one, state = model.decode(batch.previous[:, step : step + 1], state, memory, batch.lengths)
            torch.testing.assert_close(one[:, 0], whole[:, step], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", ["lstm", "lstm, no attention"])
def test_every_source_token_matters(name):
    model, _ = random_transducer(**MODELS[name])
    (pair,) = random_pairs([(5, 3)])
    with torch.no_grad():
        own = model.loss(batch_pairs([pair])).item()
        for place in range(5):
            source = pair.source.copy()
            source[place] = 2 + (source[place] - 1) % (NUM_SOURCE - 2)
            assert model.loss(batch_pairs([Pair(source, pair.target)])).item() != own


def test_a_later_target_changes_nothing_before_it():
    model, _ = random_transducer()
    batch = batch_pairs(random_pairs([(5, 6)]))
    changed = batch.previous.clone()
    changed[0, 4] = 2 + (changed[0, 4] - 1) % (NUM_TARGET - 2)
    with torch.no_grad():
        own, other = model(batch), model(dataclasses.replace(batch, previous=changed))
    assert torch.equal(own[:, :4], other[:, :4])
    assert not torch.equal(own[:, 4], other[:, 4])
    assert batch.previous[0, 0] == START_ID


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=["float32", "bf16"])
@pytest.mark.parametrize("attention", ["general", "none"])
def test_every_weight_learns(attention, precision):
    torch.manual_seed(1)
    config = TransducerModelConfig(
        embedding_dim=8,
        attention=attention,
        encoder=EncoderConfig(hidden_size=6, num_layers=2),
        decoder=DecoderConfig(hidden_size=10, num_layers=2),
        dropout=TransducerDropout(0.2, 0.2, 0.2, 0.2),
    )
    model = Transducer(config, NUM_SOURCE, NUM_TARGET, exact_tokens=5, sampled_tokens=10)
    model.precision = precision
    model.train()
    model.loss(batch_pairs(random_pairs([(4, 5), (6, 2), (1, 1)]))).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name
