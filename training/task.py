"""What a training by epochs needs of whatever it trains: examples, a loss, scores, and what to keep."""

from collections.abc import Sequence, Sized
from typing import Any, NamedTuple, Protocol

import numpy as np
from torch import Tensor, nn


class DevScore(NamedTuple):
    """Of one dev file: `score` as people call it, higher is better; `loss` in nats, mean over its examples."""

    score: float
    loss: float


class Task(Protocol):
    """One model with its data; examples are opaque to the loop, which knows their length in tokens only.

    metric: what `evaluate` gives, as people call it; higher is better. percent: whether it is shown in percent.
    """

    metric: str
    percent: bool

    @property
    def model(self) -> nn.Module: ...

    def epoch(self, generator: np.random.Generator) -> Sequence[Sized]:
        """Return the training examples of one epoch, as changed as the generator draws them."""
        ...

    def loss(self, examples: Sequence[Any]) -> Tensor:
        """Return the mean loss over these examples in nats, a scalar."""
        ...

    def evaluate(self) -> dict[str, DevScore]:
        """Score of each dev file, by its name."""
        ...

    def weights_of_dev(self) -> list[float]:
        """Return the weight of each dev file, in the order of `evaluate`, in the mean that chooses the epoch."""
        ...

    def state(self) -> dict[str, Any]:
        """Return what an export needs: tensors and plain values."""
        ...
