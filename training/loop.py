"""The training loop: steps, epochs, dev scores, checkpoints; stopped anywhere, it resumes to the same weights."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from bundle.tags import spans_from_tags
from training.augment import Augmenter
from training.averaging import WeightAverage
from training.batches import plan_epoch, plan_evaluation
from training.checkpoints import CHECKPOINT, MODEL, load_tensors, save_tensors, write_epochs
from training.config import Config
from training.curves import draw_curves
from training.dataset import Example
from training.metrics import score_spans
from training.optimizers import build_optimizer, clip_gradients, learning_rate
from training.setup import Setup, prepare
from training.tagger import Tagger

EVALUATION_BATCH = 64


@dataclass
class Position:
    """Where a training stands; everything here and in the tensors goes into a checkpoint."""

    epoch: int = 0  # finished epochs
    step: int = 0  # finished steps of the running epoch
    loss_sum: float = 0.0  # of the running epoch, nats over sentences
    norm_sum: float = 0.0
    num_sentences: int = 0
    seconds: float = 0.0
    best_f1: float = -1.0
    best_epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)


class Training:
    """One run: model, optimiser, averaged weights, and the position among epochs and steps."""

    def __init__(self, config: Config, folder: Path):
        if config.loop.threads:
            torch.set_num_threads(config.loop.threads)
        torch.use_deterministic_algorithms(True)
        self.config = config
        self.folder = folder
        self.setup: Setup = prepare(config)
        self.model = self.setup.model
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = build_optimizer(config.optimizer, self.parameters)
        self.average = WeightAverage(self.model, config.loop.average_decay)
        self.position = Position()
        self.augmenter = Augmenter(config.augment, self.setup.surfaces, self.setup.tags, scheme=config.model.scheme)
        self.mentions = [self.augmenter.mentions(examples) for examples in self.setup.train]
        self.saved_at = time.monotonic()

    def run(self) -> None:
        loop, position = self.config.loop, self.position
        while position.epoch < loop.epochs and not self._is_patience_spent():
            self._run_epoch()
        draw_curves(self.folder / "curves.png", position.history, title=f"{self.config.name}, seed {self.config.seed}")
        print(f"{self.folder}: best dev F1 {100 * position.best_f1:.2f} in epoch {position.best_epoch}")

    def save(self) -> None:
        state = {
            "position": dataclasses.asdict(self.position),
            "model": {name: p.detach() for name, p in self.model.named_parameters()},
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.state_dict(),
            "random": torch.get_rng_state(),
        }
        save_tensors(self.folder / CHECKPOINT, state)
        self.saved_at = time.monotonic()

    def restore(self) -> None:
        state = load_tensors(self.folder / CHECKPOINT)
        self.position = Position(**state["position"])
        self.model.load_state_dict(state["model"], strict=False)  # buffers are rebuilt from the data
        self.optimizer.load_state_dict(state["optimizer"])
        self.average.load_state_dict(state["average"])
        torch.set_rng_state(state["random"])

    def _is_patience_spent(self) -> bool:
        patience = self.config.loop.patience
        return bool(patience) and self.position.epoch - self.position.best_epoch >= patience

    def _run_epoch(self) -> None:
        position = self.position
        generator = np.random.default_rng([self.config.seed, position.epoch])
        examples = [
            self.augmenter.draw(example, mentions, generator)
            for corpus, mentions in zip(self.setup.train, self.mentions, strict=True)
            for example in corpus
        ]
        plan = plan_epoch([len(e) for e in examples], self.config.loop.batch_size, generator)
        started = time.monotonic() - position.seconds
        with self._progress(plan, examples) as bar:
            for indices in plan[position.step :]:
                self._step([examples[i] for i in indices], len(plan))
                bar.update(sum(len(examples[i]) for i in indices))
                bar.set_postfix(loss=f"{position.loss_sum / position.num_sentences:.3f}", refresh=False)
                position.seconds = time.monotonic() - started
                if time.monotonic() - self.saved_at > self.config.loop.checkpoint_every_s:
                    self.save()
        self._finish_epoch(sum(len(e) for e in examples))

    def _progress(self, plan: list[list[int]], examples: list[Example]) -> tqdm[Any]:
        position = self.position
        return tqdm(
            total=sum(len(examples[i]) for indices in plan for i in indices),
            initial=sum(len(examples[i]) for indices in plan[: position.step] for i in indices),
            desc=f"epoch {position.epoch + 1}/{self.config.loop.epochs}",
            unit=" tokens",
            unit_scale=True,
            disable=None,  # silent unless standard error is a terminal
        )

    def _step(self, examples: list[Example], steps_per_epoch: int) -> None:
        position, options = self.position, self.config.optimizer
        finished, total = position.epoch * steps_per_epoch + position.step, steps_per_epoch * self.config.loop.epochs
        rate = learning_rate(options, progress=finished / max(1, total - 1), epoch=position.epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        batch = self.setup.surfaces.batch(examples)
        self.model.train()
        loss = self.model.loss(batch.words, batch.chars, batch.lengths, batch.tags)
        self.optimizer.zero_grad()
        loss.backward()
        norm = clip_gradients(self.parameters, norm=options.clip_norm, value=options.clip_value)
        self.optimizer.step()
        self.average.update(self.model)
        position.step += 1
        position.loss_sum += loss.item() * len(examples)
        position.norm_sum += norm
        position.num_sentences += len(examples)

    def _finish_epoch(self, num_tokens: int) -> None:
        position = self.position
        with self.average.applied_to(self.model):
            dev = {name: self.evaluate(examples) for name, examples in self.setup.dev.items()}
            weights = [corpus.weight for corpus in self.config.data.dev]
            dev_f1 = sum(w * f1 for w, f1 in zip(weights, dev.values(), strict=True)) / sum(weights)
            if dev_f1 > position.best_f1:
                position.best_f1, position.best_epoch = dev_f1, position.epoch + 1
                save_tensors(self.folder / MODEL, self._model_state())
        line = {
            "epoch": position.epoch + 1,
            "loss": position.loss_sum / position.num_sentences,
            "gradient_norm": position.norm_sum / position.step,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "dev_f1": dev_f1,
            "dev": dev,
            "tokens_per_s": round(num_tokens / position.seconds, 1),
            "seconds": round(position.seconds, 1),
        }
        print(
            f"epoch {line['epoch']}/{self.config.loop.epochs}: loss {line['loss']:.3f}, dev F1 {100 * dev_f1:.2f} "
            f"({', '.join(f'{100 * f1:.1f}' for f1 in dev.values())}), {line['tokens_per_s']:,.0f} tokens/s",
            flush=True,
        )
        position.history.append(line)
        position.epoch += 1
        position.step, position.num_sentences = 0, 0
        position.loss_sum = position.norm_sum = position.seconds = 0.0
        write_epochs(self.folder, position.history)
        draw_curves(self.folder / "curves.png", position.history, title=f"{self.config.name}, seed {self.config.seed}")
        self.save()

    def evaluate(self, examples: list[Example]) -> float:
        """Span F1 (a fraction) of the model as it stands."""
        return evaluate_examples(self.setup, self.model, examples)

    def _model_state(self) -> dict[str, Any]:
        features = self.setup.features
        return {
            "weights": self.model.state_dict(),
            "forms": list(features.forms),
            "characters": list(features.characters.characters),
            "tags": list(self.setup.tags),
            "epoch": self.position.epoch + 1,
        }


@torch.no_grad()
def evaluate_examples(setup: Setup, model: Tagger, examples: list[Example]) -> float:
    """Span F1 (a fraction) of Viterbi tags against the examples' own."""
    model.eval()
    gold, predicted = [], []
    for indices in plan_evaluation([len(e) for e in examples], EVALUATION_BATCH):
        chosen = [examples[i] for i in indices]
        batch = setup.surfaces.batch(chosen)
        found = model.decode(batch.words, batch.chars, batch.lengths).numpy()
        for example, row in zip(chosen, found, strict=True):
            gold.append(spans_from_tags([setup.tags[i] for i in example.tags]))
            predicted.append(spans_from_tags([setup.tags[i] for i in row[: len(example)]]))
    return score_spans(gold, predicted).f1
