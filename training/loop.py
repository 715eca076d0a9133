"""Training by epochs: steps, dev scores, checkpoints; stopped anywhere, it resumes to the same weights."""

import math
import sys
import time
from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from seqserve.training.batches import plan_epoch
from seqserve.training.checkpoints import MODEL, save_tensors
from seqserve.training.curves import draw_curves
from seqserve.training.task import Task
from seqserve.training.trainer import Trainer, prepare_torch


@dataclass
class Position:
    """Where a training stands; everything here and in the tensors goes into a checkpoint."""

    epoch: int = 0  # finished epochs
    step: int = 0  # finished steps of the running epoch
    loss_sum: float = 0.0  # of the running epoch, nats over examples
    norm_sum: float = 0.0
    num_examples: int = 0
    seconds: float = 0.0
    best_score: float = -math.inf
    best_epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)


class Training(Trainer):
    """One run by epochs: its position is among epochs and steps."""

    position: Position

    def __init__(self, config: Any, folder: Path, build_task: Callable[[Any], Task]):
        """`config`: of any task, with seed, optimizer and loop; `build_task` reads its data and makes its model."""
        prepare_torch(config.loop.threads)
        self.task = build_task(config)
        super().__init__(config, folder, self.task.model, Position())

    def run(self) -> None:
        """Train to the end; what there is to say about the data is said at the beginning."""
        if self.position == Position():
            print("".join(f"{note}\n" for note in self.task.notes), end="", file=sys.stderr)
        while self.position.epoch < self.config.loop.epochs and not self._is_patience_spent():
            self._run_epoch()
        self.draw_curves()
        best = self._shown(self.position.best_score)
        print(f"{self.folder}: kept epoch {self.position.best_epoch}, dev {self.task.metric} {best}")

    def place(self) -> str:
        """Return epoch and step, for people."""
        return f"in epoch {self.position.epoch + 1} after {self.position.step} steps"

    def _is_patience_spent(self) -> bool:
        patience, scores = self.config.loop.patience, [line["dev_score"] for line in self.position.history]
        return bool(patience and scores) and len(scores) - 1 - scores.index(max(scores)) >= patience

    def _is_kept(self, score: float, loss: float) -> bool:
        """Return whether the weights are better than those kept: of equal scores the lower dev loss, else the later."""
        if self.config.loop.keep == "last" or not self.position.best_epoch:
            return True
        kept = self.position.history[self.position.best_epoch - 1]
        return (score, -loss) >= (kept["dev_score"], -kept.get("dev_loss", math.inf))

    def _run_epoch(self) -> None:
        position = self.position
        generator = np.random.default_rng([self.config.seed, position.epoch])
        examples = self.task.epoch(generator)
        plan = plan_epoch([len(e) for e in examples], self.config.loop.batch_size, generator)
        started = time.monotonic() - position.seconds
        with self._progress(plan, examples) as bar:
            for indices in plan[position.step :]:
                self._step([examples[i] for i in indices], len(plan))
                bar.update(sum(len(examples[i]) for i in indices))
                bar.set_postfix(loss=f"{position.loss_sum / position.num_examples:.3f}", refresh=False)
                position.seconds = time.monotonic() - started
                if self.is_checkpoint_due():
                    self.save()
        self._finish_epoch(sum(len(e) for e in examples))

    def _progress(self, plan: list[list[int]], examples: Sequence[Sized]) -> "tqdm[Any]":
        position = self.position
        return tqdm(
            total=sum(len(examples[i]) for indices in plan for i in indices),
            initial=sum(len(examples[i]) for indices in plan[: position.step] for i in indices),
            desc=f"epoch {position.epoch + 1}/{self.config.loop.epochs}",
            unit=" tokens",
            unit_scale=True,
            disable=None,  # silent unless standard error is a terminal
        )

    def _step(self, examples: Sequence[Sized], steps_per_epoch: int) -> None:
        position = self.position
        finished, total = position.epoch * steps_per_epoch + position.step, steps_per_epoch * self.config.loop.epochs
        self.model.train()
        objective = self.task.loss(examples)
        loss = objective.item()
        norm = self.descend(objective, loss, progress=finished / max(1, total - 1), epoch=position.epoch)
        position.step += 1
        position.loss_sum += loss * len(examples)
        position.norm_sum += norm
        position.num_examples += len(examples)

    def _finish_epoch(self, num_tokens: int) -> None:
        position = self.position
        with self.average.applied_to(self.model):
            self.model.eval()
            with torch.no_grad():
                dev = self.task.evaluate()
            total = sum(found.weight for found in dev.values())
            score = sum(found.weight * found.score for found in dev.values()) / total
            loss = sum(found.weight * found.loss for found in dev.values()) / total
            self.check_bounds(loss)
            if self._is_kept(score, loss):
                position.best_score, position.best_epoch = score, position.epoch + 1
                save_tensors(self.folder / MODEL, {**self.task.state(), "epoch": position.epoch + 1})
        line = {
            "epoch": position.epoch + 1,
            "loss": position.loss_sum / position.num_examples,
            "gradient_norm": position.norm_sum / position.step,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "dev_score": score,
            "dev_loss": loss,
            "dev": {name: found.score for name, found in dev.items()},
            "tokens_per_s": round(num_tokens / position.seconds, 1),
            "seconds": round(position.seconds, 1),
        }
        scores = ", ".join(self._shown(found.score) for found in dev.values())
        print(
            f"epoch {line['epoch']}/{self.config.loop.epochs}: loss {line['loss']:.3f}, dev {self.task.metric} "
            f"{self._shown(score)} ({scores}), {line['tokens_per_s']:,.0f} tokens/s",
            flush=True,
        )
        position.epoch += 1
        position.step, position.num_examples = 0, 0
        position.loss_sum = position.norm_sum = position.seconds = 0.0
        self.finish(line)

    def _shown(self, score: float) -> str:
        return f"{100 * score:.2f}" if self.task.percent else f"{score:.4f}"

    def draw(self, path: Path, title: str) -> None:
        """Draw loss and dev scores."""
        draw_curves(
            path,
            self.position.history,
            title=title,
            metric=f"{self.task.metric}, %" if self.task.percent else self.task.metric,
            scale=100 if self.task.percent else 1,
        )
