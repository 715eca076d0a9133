"""What a training by epochs asks of a task: examples, a loss, scores, and what to keep."""

from collections.abc import Sequence, Sized
from typing import Any, NamedTuple, Protocol

import numpy as np
from torch import Tensor, nn


class DevScore(NamedTuple):
    """Of one dev file: its score, higher is better; its loss in nats, a mean; its weight in the means over files."""

    score: float
    loss: float
    weight: float = 1.0


class Task(Protocol):
    """One model with its data; examples are opaque to the loop, which knows their length in tokens only.

    metric: the name of the score, higher is better. percent: whether it is shown in percent. notes: what the data
    lacks or repeats, for people, one line each.
    """

    metric: str
    percent: bool
    notes: list[str]

    @property
    def model(self) -> nn.Module: ...

    def epoch(self, generator: np.random.Generator) -> Sequence[Sized]:
        """Return the training examples of one epoch; the generator draws their changes."""
        ...

    def loss(self, examples: Sequence[Any]) -> Tensor:
        """Return the mean loss over these examples in nats, a scalar."""
        ...

    def evaluate(self) -> dict[str, DevScore]:
        """Return the score of each dev file, by its name."""
        ...

    def state(self) -> dict[str, Any]:
        """Return what an export needs: tensors and plain values."""
        ...
