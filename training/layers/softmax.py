"""Softmax over a vocabulary, full or adaptive, that never holds all its logits."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

CHUNK_ROWS = 512
"""Rows whose logits exist at a time: 512 x 40,000 in float32 are 82 MB."""


class _LinearCrossEntropy(torch.autograd.Function):
    """sum of -log softmax(x W^T + b)[target]; the gradient is made in the forward pass, chunk by chunk."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, dtype: torch.dtype) -> Tensor:
        needs_gradient = any(ctx.needs_input_grad)
        total = torch.zeros((), dtype=torch.float64)
        inputs_low, weight_low = inputs.to(dtype), weight.to(dtype)
        shape = weight.shape if needs_gradient else (0, 0)
        input_gradient, weight_gradient = torch.empty_like(inputs), torch.zeros(shape)
        bias_gradient = torch.zeros_like(bias)
        for start in range(0, len(inputs), CHUNK_ROWS):
            rows = slice(start, start + CHUNK_ROWS)
            logits = linear(inputs_low[rows], weight_low).float() + bias  # (n,V)
            chosen = targets[rows, None]
            normalisers = torch.logsumexp(logits, dim=1, keepdim=True)  # (n,1)
            losses = (normalisers - logits.gather(1, chosen)).squeeze(1)
            total += losses.double().sum()
            if not needs_gradient:
                continue
            gradient = logits.sub_(normalisers).exp_()  # d loss / d logits = softmax - one-hot
            gradient.scatter_add_(1, chosen, torch.full_like(chosen, -1.0, dtype=gradient.dtype))
            bias_gradient += gradient.sum(dim=0)
            gradient_low = gradient.to(dtype)
            input_gradient[rows] = (gradient_low @ weight_low).float()
            weight_gradient += (gradient_low.t() @ inputs_low[rows]).float()
        if needs_gradient:
            ctx.save_for_backward(input_gradient, weight_gradient, bias_gradient)
        return total.float()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (upstream,) = gradients
        inputs, weight, bias = ctx.saved_tensors
        return upstream * inputs, upstream * weight, upstream * bias, None, None


def linear_cross_entropy(
    inputs: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, *, dtype: torch.dtype
) -> Tensor:
    """Return the sum of cross-entropies in nats, a scalar; inputs (N,P), weight (V,P), bias (V,), targets (N,) int64.

    Products run in `dtype`, softmax and sums in float32 or better.
    """
    loss: Tensor = _LinearCrossEntropy.apply(inputs, weight, bias, targets, dtype)
    return loss


class FullSoftmax(nn.Module):
    """p = softmax(W h + b); W may be the embedding's table (Press & Wolf 2017; Inan et al. 2017)."""

    def __init__(self, size: int, num_tokens: int, *, tied_to: Tensor | None):
        super().__init__()
        own = nn.Parameter(torch.empty(num_tokens, size).uniform_(-0.1, 0.1)) if tied_to is None else tied_to
        self.weight = own
        self.bias = nn.Parameter(torch.zeros(num_tokens))

    def loss(self, hidden: Tensor, targets: Tensor, *, dtype: torch.dtype) -> Tensor:
        """Return the sum of -log p(target) in nats; hidden (N,P), targets (N,)."""
        return linear_cross_entropy(hidden, self.weight, self.bias, targets, dtype=dtype)


class SampledSoftmax(FullSoftmax):
    """A full softmax that learns from an estimate of its normaliser (Bengio & Senecal 2008; Jean et al. 2015).

    The first `num_exact` tokens, the frequent ones, are summed exactly. The rest is estimated from `num_samples` draws
    shared by a window: each stands for 1 / (num_samples * q) of its kind, q being the law of the draw (Zipf's), so that
    the estimate of the sum is unbiased. Evaluation and what is exported are the full softmax.
    """

    def __init__(self, size: int, num_tokens: int, *, tied_to: Tensor | None, num_exact: int, num_samples: int):
        super().__init__(size, num_tokens, tied_to=tied_to)
        self.num_exact, self.num_samples = num_exact, num_samples
        ranks = torch.arange(num_exact, num_tokens, dtype=torch.float64)
        self.law = (1.0 / (ranks + 1.0)) / (1.0 / (ranks + 1.0)).sum()  # ids are in the order of frequency

    def loss(self, hidden: Tensor, targets: Tensor, *, dtype: torch.dtype) -> Tensor:
        """Return what FullSoftmax.loss does, estimated while training."""
        if not self.training:
            return super().loss(hidden, targets, dtype=dtype)
        drawn = torch.multinomial(self.law, self.num_samples, replacement=True)
        shares = -torch.log(self.num_samples * self.law[drawn]).float()  # (S,)
        ids = torch.cat([torch.arange(self.num_exact), drawn + self.num_exact])
        corrections = torch.cat([torch.zeros(self.num_exact), shares])
        logits = linear(hidden.to(dtype), self.weight[ids].to(dtype)).float() + (self.bias[ids] + corrections)
        # The target is exact: it has a column of its own, and its copies among the others do not count.
        own = (hidden * self.weight[targets]).sum(dim=1, keepdim=True) + self.bias[targets, None]
        logits = logits.masked_fill(ids == targets[:, None], -torch.inf)
        normalisers = torch.logsumexp(torch.cat([own, logits], dim=1), dim=1)
        return (normalisers - own.squeeze(1)).sum()


class AdaptiveSoftmax(nn.Module):
    """Frequent tokens in a head beside one entry per cluster of rarer ones (Grave et al. 2017).

    The parameters are laid out as in torch.nn.AdaptiveLogSoftmaxWithLoss: a tail first maps P to P / div_value^i.
    """

    def __init__(self, size: int, num_tokens: int, *, cutoffs: Sequence[int], div_value: float = 4.0):
        super().__init__()
        self.borders = [*cutoffs, num_tokens]
        num_clusters = len(cutoffs)
        self.head = nn.Linear(size, cutoffs[0] + num_clusters, bias=False)
        self.tail = nn.ModuleList(
            nn.Sequential(
                nn.Linear(size, max(1, int(size // div_value**number)), bias=False),
                nn.Linear(
                    max(1, int(size // div_value**number)), self.borders[number] - self.borders[number - 1], bias=False
                ),
            )
            for number in range(1, num_clusters + 1)
        )

    def loss(self, hidden: Tensor, targets: Tensor, *, dtype: torch.dtype) -> Tensor:
        """Return the sum of -log p(target) in nats; hidden (N,P), targets (N,)."""
        head_targets = targets.clone()
        total = torch.zeros(())
        for number, tail in enumerate(self.tail):
            low, high = self.borders[number], self.borders[number + 1]
            rows = ((targets >= low) & (targets < high)).nonzero().squeeze(1)
            head_targets[rows] = self.borders[0] + number
            if len(rows):
                narrow, wide = tail.get_parameter("0.weight"), tail.get_parameter("1.weight")
                total = total + linear_cross_entropy(
                    linear(hidden[rows], narrow),
                    wide,
                    wide.new_zeros(high - low),
                    targets[rows] - low,
                    dtype=dtype,
                )
        head_bias = self.head.weight.new_zeros(len(self.head.weight))
        return total + linear_cross_entropy(hidden, self.head.weight, head_bias, head_targets, dtype=dtype)
