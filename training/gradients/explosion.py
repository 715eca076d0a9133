"""A training whose gradients explode, without clipping and with both kinds of it (Pascanu et al. 2013)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from seqserve.training.config import OptimizerConfig
from seqserve.training.gradients.config import ExplosionConfig, GradientModelConfig
from seqserve.training.gradients.model import AgreementModel, Batch
from seqserve.training.optimizers import build_optimizer, clip_gradients


@dataclass(frozen=True, slots=True)
class ExplodingRun:
    """The outcome of one run; losses in nats per word, norms of all gradients together before clipping."""

    is_finite: bool
    num_steps: int  # updates until loss or weights were no longer finite, that one included; else all
    first_loss: float
    last_finite_loss: float
    largest_finite_norm: float


def exploding_model(config: ExplosionConfig, model_config: GradientModelConfig, *, seed: int) -> AgreementModel:
    """Return a model of the agreement sentences whose recurrent weights are multiplied by config.gain."""
    torch.manual_seed(seed)
    model = AgreementModel(config.cell, model_config)
    with torch.no_grad():
        model.cell.get_parameter("weight_hh_l0").mul_(config.gain)
    return model


def train_exploding(
    model: AgreementModel, batches: Sequence[Batch], config: ExplosionConfig, *, norm: float, value: float
) -> ExplodingRun:
    """Make config.num_steps updates of plain SGD over the batches in turn, clipped as `clip_gradients` does (0: not).

    Ends with the first update after which the loss or a weight is not finite.
    """
    parameters = list(model.parameters())
    rate = OptimizerConfig(name="sgd", learning_rate=config.learning_rate)
    optimizer = build_optimizer(rate, parameters)
    losses = [model.loss(batches[0], verb_weight=1.0).item()]
    largest = 0.0
    for step in range(1, config.num_steps + 1):
        optimizer.zero_grad()
        model.loss(batches[(step - 1) % len(batches)], verb_weight=1.0).backward()
        # In float64: squares of what explodes leave float32's range before the gradient does.
        norm_now = float(nn.utils.get_total_norm([w.grad.double() for w in parameters if w.grad is not None]))
        largest = max(largest, norm_now) if math.isfinite(norm_now) else largest
        if norm or value:
            clip_gradients(parameters, norm=norm, value=value)
        optimizer.step()
        with torch.no_grad():
            loss = model.loss(batches[step % len(batches)], verb_weight=1.0).item()
        if not math.isfinite(loss) or not all(bool(weight.isfinite().all()) for weight in parameters):
            return ExplodingRun(False, step, losses[0], losses[-1], largest)
        losses.append(loss)
    return ExplodingRun(True, config.num_steps, losses[0], losses[-1], largest)


def compare_clipping(
    config: ExplosionConfig, model_config: GradientModelConfig, batches: Sequence[Batch], *, seed: int
) -> dict[str, ExplodingRun]:
    """Run the same three times, "none", "value" and "norm", from the same weights over the same batches."""
    return {
        name: train_exploding(exploding_model(config, model_config, seed=seed), batches, config, norm=norm, value=value)
        for name, norm, value in (
            ("none", 0.0, 0.0),
            ("value", 0.0, config.clip_value),
            ("norm", config.clip_norm, 0.0),
        )
    }
