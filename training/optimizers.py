"""Optimisers, learning-rate schedules, and the two ways of clipping gradients."""

import math
from collections.abc import Iterable, Sequence

import torch
from torch import nn

from seqserve.training.config import OptimizerConfig


def build_optimizer(config: OptimizerConfig, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    parameters = list(parameters)
    if config.name in ("sgd", "nt-asgd"):
        return torch.optim.SGD(
            parameters, lr=config.learning_rate, momentum=config.momentum, weight_decay=config.weight_decay
        )
    kind = torch.optim.AdamW if config.name == "adamw" else torch.optim.Adam
    betas = (config.beta1, config.beta2)
    return kind(parameters, lr=config.learning_rate, betas=betas, weight_decay=config.weight_decay, fused=config.fused)


def learning_rate(config: OptimizerConfig, *, progress: float, epoch: int) -> float:
    """Return the rate at a share of all steps (0..1): a pure function, so a resumed training needs no schedule state.

    one-cycle: cosine from 1/25 up to the peak over the `warmup` share, cosine down to 1/10,000 (Smith 2018).
    inverse-decay: peak / (1 + decay * epoch) (Ma & Hovy 2016).
    """
    peak = config.learning_rate
    if config.schedule == "constant":
        return peak
    if config.schedule == "inverse-decay":
        return peak / (1.0 + config.decay * epoch)
    if progress < config.warmup:
        return _cosine(peak / 25.0, peak, progress / config.warmup)
    return _cosine(peak, peak / 10_000.0, min(1.0, (progress - config.warmup) / (1.0 - config.warmup)))


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1.0 + math.cos(math.pi * share)) / 2.0


def clip_gradients(parameters: Sequence[nn.Parameter], *, norm: float, value: float) -> float:
    """Clip in place, by value first, then by the norm of all gradients together; 0 leaves either out.

    Returns the norm before clipping by norm. By value puts each component into [-value, value]; by norm
    keeps the direction (Pascanu et al. 2013).
    """
    if value:
        nn.utils.clip_grad_value_(parameters, value)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    total = nn.utils.get_total_norm(gradients)
    if not total.isfinite():  # squares leave float32's range before the gradients do
        total = nn.utils.get_total_norm([gradient.double() for gradient in gradients])
    if norm:
        nn.utils.clip_grads_with_norm_(parameters, norm, total)
    return float(total)
