import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqserve.tagger.tags import allowed_transitions, make_tags
from seqserve.training.layers.crf import CRF

CASES = [("BIO", ["PER"]), ("BIO", ["PER", "LOC"]), ("BIOES", ["PER"])]


def random_crf(scheme, labels, seed):
    torch.manual_seed(seed)
    crf = CRF(allowed_transitions(make_tags(labels, scheme), scheme)).double()
    with torch.no_grad():
        for parameter in crf.parameters():
            parameter.normal_()
    return crf


def enumerate_paths(crf, emissions):
    """All tag paths of one sentence with their log scores, by definition: (T,K) -> {path: score}."""
    start, transitions, end = (p.detach().numpy() for p in crf.potentials())
    scores = {}
    for path in itertools.product(range(emissions.shape[1]), repeat=len(emissions)):
        score = start[path[0]] + end[path[-1]] + sum(emissions[t, k] for t, k in enumerate(path))
        scores[path] = score + sum(transitions[i, j] for i, j in itertools.pairwise(path))
    return scores


@pytest.mark.parametrize(("scheme", "labels"), CASES)
@given(lengths=st.lists(st.integers(1, 4), min_size=1, max_size=4), seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_log_likelihood_and_decoding_equal_enumeration(scheme, labels, lengths, seed):
    crf = random_crf(scheme, labels, seed)
    num_tags = len(make_tags(labels, scheme))
    emissions = torch.randn(len(lengths), max(lengths), num_tags, dtype=torch.float64)
    tags = torch.zeros(len(lengths), max(lengths), dtype=torch.long)
    expected = []
    best = []
    generator = np.random.default_rng(seed)
    for row, length in enumerate(lengths):
        scores = enumerate_paths(crf, emissions[row, :length].numpy())
        path = list(scores)[generator.integers(len(scores))]
        tags[row, :length] = torch.tensor(path)
        expected.append(scores[path] - np.logaddexp.reduce(list(scores.values())))
        best.append(max(scores, key=scores.__getitem__))
    rows = torch.tensor(lengths)
    assert crf.log_likelihood(emissions, tags, rows).detach().numpy() == pytest.approx(expected, abs=1e-9)
    decoded = crf.decode(emissions, rows)
    assert [tuple(decoded[row, :length].tolist()) for row, length in enumerate(lengths)] == best
    for row, length in enumerate(lengths):
        assert not decoded[row, length:].any()


def test_gradient_agrees_with_finite_differences():
    crf = random_crf("BIO", ["PER"], 3)
    emissions = torch.randn(2, 3, 3, dtype=torch.float64, requires_grad=True)
    tags, lengths = torch.tensor([[0, 1, 2], [1, 2, 0]]), torch.tensor([3, 2])
    assert torch.autograd.gradcheck(lambda e: crf.log_likelihood(e, tags, lengths), [emissions])


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
def test_forbidden_path_has_no_probability(scheme):
    tags = make_tags(["PER"], scheme)
    crf = CRF(allowed_transitions(tags, scheme))
    path = torch.tensor([[tags.index("O"), tags.index("I-PER")]])
    log_prob = crf.log_likelihood(torch.zeros(1, 2, len(tags)), path, torch.tensor([2]))
    assert torch.exp(log_prob).item() == 0.0


def test_padding_does_not_change_a_row():
    crf = random_crf("BIOES", ["PER"], 5)
    emissions = torch.randn(1, 3, 5, dtype=torch.float64)
    padded = torch.cat([emissions, torch.full((1, 4, 5), 99.0, dtype=torch.float64)], dim=1)
    tags = torch.tensor([[1, 3, 0]])
    padded_tags = torch.cat([tags, torch.zeros(1, 4, dtype=torch.long)], dim=1)
    lengths = torch.tensor([3])
    alone = crf.log_likelihood(emissions, tags, lengths)
    assert torch.equal(crf.log_likelihood(padded, padded_tags, lengths), alone)
