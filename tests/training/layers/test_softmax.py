import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from seqserve.training.layers import softmax
from seqserve.training.layers.softmax import AdaptiveSoftmax, FullSoftmax, SampledSoftmax, linear_cross_entropy


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(softmax, "CHUNK_ROWS", 5)
    torch.manual_seed(3)


def problem(num_rows=13, size=6, num_tokens=11):
    hidden = torch.randn(num_rows, size, requires_grad=True)
    return hidden, torch.randint(0, num_tokens, (num_rows,))


def test_value_and_gradients_are_those_of_torch():
    hidden, targets = problem()
    weight, bias = torch.randn(11, 6, requires_grad=True), torch.randn(11, requires_grad=True)
    ours = 3 * linear_cross_entropy(hidden, weight, bias, targets, dtype=torch.float32)
    found = torch.autograd.grad(ours, (hidden, weight, bias))
    theirs = 3 * cross_entropy(hidden @ weight.t() + bias, targets, reduction="sum")
    expected = torch.autograd.grad(theirs, (hidden, weight, bias))
    torch.testing.assert_close(ours, theirs)
    for ours_part, theirs_part in zip(found, expected, strict=True):
        torch.testing.assert_close(ours_part, theirs_part)


def test_bf16_products_stay_close():
    hidden, targets = problem()
    model = FullSoftmax(6, 11, tied_to=None)
    exact = model.loss(hidden, targets, dtype=torch.float32)
    coarse = model.loss(hidden, targets, dtype=torch.bfloat16)
    torch.testing.assert_close(exact, coarse, rtol=1e-2, atol=1e-2)


def test_adaptive_is_torchs_own():
    size, num_tokens, cutoffs = 16, 30, [5, 12]
    hidden, targets = problem(40, size, num_tokens)
    reference = nn.AdaptiveLogSoftmaxWithLoss(size, num_tokens, cutoffs, div_value=4.0)
    model = AdaptiveSoftmax(size, num_tokens, cutoffs=cutoffs)
    model.load_state_dict(reference.state_dict())
    ours = model.loss(hidden, targets, dtype=torch.float32)
    theirs = 40 * reference(hidden, targets).loss  # a mean over rows there
    torch.testing.assert_close(ours, theirs)
    for found, expected in zip(
        torch.autograd.grad(ours, list(model.parameters())),
        torch.autograd.grad(theirs, list(reference.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


def test_tied_table_gets_both_gradients():
    embedding = nn.Embedding(11, 6)
    model = FullSoftmax(6, 11, tied_to=embedding.weight)
    assert [name for name, _ in model.named_parameters()] == ["weight", "bias"]
    assert model.weight is embedding.weight


def sampled(num_exact, num_samples):
    model = SampledSoftmax(6, 40, tied_to=None, num_exact=num_exact, num_samples=num_samples)
    hidden = torch.randn(9, 6)
    return model, hidden, torch.randint(0, 40, (9,))


def test_sampled_normalisers_are_right_on_average():
    model, hidden, targets = sampled(4, 60)
    model.eval()
    exact = model.loss(hidden, targets, dtype=torch.float32).item()
    model.train()
    losses = [model.loss(hidden, targets, dtype=torch.float32).item() for _ in range(200)]
    assert sum(losses) / 200 == pytest.approx(exact, rel=0.01)
    assert max(losses) > min(losses)


def test_sampled_law_is_a_distribution_over_the_rest():
    model, *_ = sampled(4, 60)
    assert len(model.law) == 36
    assert float(model.law.sum()) == pytest.approx(1.0)
    assert (model.law[:-1] > model.law[1:]).all()
