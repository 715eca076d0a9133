"""Averages of the weights along the training (Polyak & Juditsky 1992)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """average ← d * average + (1 − d) * weights after each step, d = min(decay, (1 + n) / (10 + n)).

    `decay` 0 keeps the average equal to the weights.
    """

    def __init__(self, model: nn.Module, decay: float):
        self.decay = decay
        self.num_updates = 0
        self.weights = _copies(model)

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Let the average move toward the weights after a step."""
        share = self._next_share()
        for name, weight in _trained(model).items():
            self.weights[name].lerp_(weight, share)

    def _next_share(self) -> float:
        self.num_updates += 1
        return 1.0 - min(self.decay, (1 + self.num_updates) / (10 + self.num_updates))

    @contextmanager
    def applied_to(self, model: nn.Module) -> Iterator[None]:
        """Let the model hold the averaged weights within the block."""
        own = _copies(model)
        _assign(model, self.weights)
        try:
            yield
        finally:
            _assign(model, own)

    def observe(self, loss: float) -> None:
        """Do nothing: an evaluation's loss changes nothing here."""

    def state_dict(self) -> dict[str, object]:
        return {"num_updates": self.num_updates, "weights": self.weights}

    def load_state_dict(self, state: dict[str, object]) -> None:
        self.num_updates = state["num_updates"]  # type: ignore[assignment]
        for name, weight in state["weights"].items():  # type: ignore[attr-defined]
            self.weights[name].copy_(weight)


class TriggeredAverage(WeightAverage):
    """Plain mean of the weights since a trigger: NT-ASGD (Merity, Keskar & Socher 2017, algorithm 1).

    The trigger is an evaluation worse than the best of those more than `patience` evaluations ago; until then the
    average equals the weights.
    """

    def __init__(self, model: nn.Module, patience: int):
        super().__init__(model, 0.0)
        self.patience = patience
        self.losses: list[float] = []
        self.is_triggered = False

    def _next_share(self) -> float:
        self.num_updates = self.num_updates + 1 if self.is_triggered else 1
        return 1.0 / self.num_updates

    def observe(self, loss: float) -> None:
        """Note the loss of an evaluation; may set off the averaging."""
        earlier = self.losses[: len(self.losses) - self.patience] if len(self.losses) > self.patience else []
        self.is_triggered = self.is_triggered or (bool(earlier) and loss > min(earlier))
        self.losses.append(loss)

    def state_dict(self) -> dict[str, object]:
        return {**super().state_dict(), "losses": self.losses, "is_triggered": self.is_triggered}

    def load_state_dict(self, state: dict[str, object]) -> None:
        super().load_state_dict(state)
        self.losses = list(state["losses"])  # type: ignore[call-overload]
        self.is_triggered = bool(state["is_triggered"])


def _trained(model: nn.Module) -> dict[str, nn.Parameter]:
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}


def _copies(model: nn.Module) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in _trained(model).items()}


@torch.no_grad()
def _assign(model: nn.Module, weights: dict[str, Tensor]) -> None:
    for name, weight in _trained(model).items():
        weight.copy_(weights[name])
