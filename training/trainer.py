"""What every training does: steps down a gradient, averaged weights, checkpoints that it resumes from bit for bit."""

import dataclasses
import math
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from seqserve.errors import SeqserveError
from seqserve.training.averaging import TriggeredAverage, WeightAverage
from seqserve.training.checkpoints import CHECKPOINT, load_tensors, must_fit, save_tensors, write_epochs
from seqserve.training.layers.recurrent import Parts
from seqserve.training.optimizers import build_optimizer, clip_gradients, learning_rate


class DivergedError(SeqserveError):
    """A training whose loss or gradient is out of bounds; the sentence says where, and what to lower."""


def prepare_torch(threads: int) -> None:
    """Let torch compute with this many threads (0: as many as there are cores), the same bits in every run."""
    if threads:
        torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)


DRAW_EVERY_S = 5.0  # drawing takes longer than an epoch of a tiny run


class Trainer(ABC):
    """Model, optimiser, averaged weights, and the position in the data: all that a checkpoint holds."""

    largest_loss = math.inf

    def __init__(self, config: Any, folder: Path, model: nn.Module, position: Any):
        """`config`: with `loop` and `optimizer`; `position`: a dataclass of plain values."""
        self.config, self.folder, self.model, self.position = config, folder, model, position
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = build_optimizer(config.optimizer, self.parameters)
        self.average = (
            TriggeredAverage(model, config.loop.patience)
            if config.optimizer.name == "nt-asgd"
            else WeightAverage(model, config.loop.average_decay)
        )
        self.state: list[Parts] = []  # carried from one window of a running text to the next
        self.saved_at = self.drawn_at = time.monotonic()

    def save(self) -> None:
        """Write a checkpoint."""
        state = {
            "position": dataclasses.asdict(self.position),
            "state": self.state,
            "model": {name: p.detach() for name, p in self.model.named_parameters()},
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.state_dict(),
            "random": torch.get_rng_state(),
        }
        save_tensors(self.folder / CHECKPOINT, state)
        self.saved_at = time.monotonic()

    def restore(self) -> None:
        """Continue from the checkpoint; raises RunError when it does not fit the configuration."""
        state = load_tensors(self.folder / CHECKPOINT)
        with must_fit(self.folder / CHECKPOINT):
            self.position = type(self.position)(**state["position"])
            self.state = state.get("state", [])
            self.model.load_state_dict(state["model"], strict=False)  # without buffers and a tied table's second name
            self.optimizer.load_state_dict(state["optimizer"])
            self.average.load_state_dict(state["average"])
            torch.set_rng_state(state["random"])

    def is_checkpoint_due(self) -> bool:
        """Return whether the last checkpoint is older than the configuration allows."""
        return time.monotonic() - self.saved_at > self.config.loop.checkpoint_every_s

    def descend(self, objective: Tensor, loss: float, *, progress: float, epoch: int) -> float:
        """Make one step that lowers the objective, a scalar; return the gradient's norm before it is clipped by norm.

        `loss`: in nats, without penalties; `progress`: share of all steps, 0..1. Raises DivergedError.
        """
        options = self.config.optimizer
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(options, progress=progress, epoch=epoch)
        self.optimizer.zero_grad()
        objective.backward()
        norm = clip_gradients(self.parameters, norm=options.clip_norm, value=options.clip_value)
        self.check_bounds(loss, norm)
        self.optimizer.step()
        self.average.update(self.model)
        return norm

    def check_bounds(self, loss: float, norm: float = 0.0) -> None:
        """Raise DivergedError for a loss or a gradient norm that is not finite, or a loss above the largest."""
        if not math.isfinite(loss) or loss > self.largest_loss or not math.isfinite(norm):
            raise DivergedError(
                f"{self.folder}: diverged {self.place()}: loss {loss:g} nats, gradient norm {norm:g}; "
                "begin anew with a lower optimizer.learning_rate or optimizer.clip_norm"
            )

    @abstractmethod
    def place(self) -> str:
        """Return where the training stands, for people."""

    def finish(self, line: dict[str, Any]) -> None:
        """Add the line of an evaluation to the history, and write history and checkpoint; curves when they are due."""
        self.position.history.append(line)
        write_epochs(self.folder, self.position.history)
        if time.monotonic() - self.drawn_at >= DRAW_EVERY_S:
            self.draw_curves()
        self.save()

    def draw_curves(self) -> None:
        """Write the curves into the run folder; the end of a training does so in any case."""
        self.draw(self.folder / "curves.png", f"{self.config.name}, seed {self.config.seed}")
        self.drawn_at = time.monotonic()

    @abstractmethod
    def draw(self, path: Path, title: str) -> None:
        """Draw the curves of the history."""
