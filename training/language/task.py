"""The training loop of language models; stopped anywhere, it resumes to the same weights."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from seqserve.training.checkpoints import CHECKPOINT, MODEL, save_tensors
from seqserve.training.curves import draw_language_curves
from seqserve.training.language.config import LanguageConfig
from seqserve.training.language.model import LanguageModel, State, activation_penalties
from seqserve.training.language.setup import prepare_text
from seqserve.training.language.warm_start import start_from
from seqserve.training.reading.token_ids import TokenIds
from seqserve.training.reading.windows import Window, sequence_windows, stream_windows
from seqserve.training.setup import precision_of
from seqserve.training.trainer import Trainer, prepare_torch

EVALUATION_ROWS = 32


@dataclass
class Position:
    """Where a training stands; everything here and in the tensors goes into a checkpoint."""

    passes: int = 0  # finished passes over the text
    windows: int = 0  # finished windows of the running pass
    tokens: int = 0  # learned from since the start
    loss_sum: float = 0.0  # since the last evaluation, nats
    loss_tokens: int = 0
    norm_sum: float = 0.0
    num_steps: int = 0
    seconds: float = 0.0
    best_loss: float = math.inf  # nats per token on valid
    best_epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)


class LanguageTraining(Trainer):
    """One run by tokens: its position is among passes over the text and windows."""

    model: LanguageModel
    position: Position
    largest_loss = 700.0  # nats a token; the perplexity of more is no float64

    def __init__(self, config: LanguageConfig, folder: Path):
        prepare_torch(config.loop.threads)
        self.setup = prepare_text(config, folder)
        torch.manual_seed(config.seed)
        num_tokens, loop = len(self.setup.vocabulary), config.loop
        model = LanguageModel(
            config.model, num_tokens, exact_tokens=loop.exact_tokens, sampled_tokens=loop.sampled_tokens
        )
        model.precision = precision_of(loop)
        if loop.start_from and not (folder / CHECKPOINT).exists():
            num_known = start_from(model, self.setup.vocabulary, Path(loop.start_from))
            print(f"{loop.start_from}: knows {num_known} of {len(self.setup.vocabulary.tokens)} tokens", flush=True)
        super().__init__(config, folder, model, Position())

    def run(self) -> None:
        """Train to the end."""
        position, total, seed = self.position, self.config.loop.total_tokens, self.config.seed
        with self._progress() as bar:
            while position.tokens < total:
                # The order of a pass depends on the seed and its number alone.
                generator = np.random.default_rng([seed, position.passes])
                windows = windows_of(self.setup.train, self.config, self.config.loop.batch_size, generator)
                for window in islice(windows, position.windows, None):
                    self._step(window)
                    bar.update(window.num_tokens)
                    if self._is_evaluation_due():
                        self._evaluate()
                    elif self.is_checkpoint_due():
                        self.save()
                    if position.tokens >= total:
                        break
                else:
                    position.passes, position.windows = position.passes + 1, 0
        self.draw_curves()
        print(
            f"{self.folder}: kept evaluation {position.best_epoch}, valid perplexity {math.exp(position.best_loss):.2f}"
        )

    def place(self) -> str:
        """Return the tokens learned from, for people."""
        return f"after {self.position.tokens:,} tokens"

    def _step(self, window: Window) -> None:
        config, position = self.config, self.position
        started = time.monotonic()
        self.model.train()
        hidden, raw, self.state = self.model(window.previous, [] if window.starts else self.state)
        num_tokens = window.num_tokens
        objective = self.model.loss(hidden, window.targets, window.mask) / num_tokens
        loss = objective.item()
        norm = self.descend(
            objective + activation_penalties(hidden, raw, window.mask, config.loop),
            loss,
            progress=position.tokens / config.loop.total_tokens,
            epoch=position.passes,
        )
        position.windows += 1
        position.tokens += num_tokens
        position.loss_sum += loss * num_tokens
        position.loss_tokens += num_tokens
        position.norm_sum += norm
        position.num_steps += 1
        position.seconds += time.monotonic() - started

    def _is_evaluation_due(self) -> bool:
        position, loop = self.position, self.config.loop
        reached = position.tokens // loop.evaluate_every_tokens
        before = sum(line["tokens"] for line in position.history[-1:]) // loop.evaluate_every_tokens
        return reached > before or position.tokens >= loop.total_tokens

    def _evaluate(self) -> None:
        position = self.position
        with self.average.applied_to(self.model):
            loss = evaluate_tokens(self.model, self.setup.valid, self.config)
            self.check_bounds(loss)
            if loss <= position.best_loss or self.config.loop.keep == "last":
                position.best_loss, position.best_epoch = loss, len(position.history) + 1
                save_tensors(self.folder / MODEL, self._model_state())
        self.average.observe(loss)
        line = {
            "epoch": len(position.history) + 1,
            "tokens": position.tokens,
            "loss": position.loss_sum / position.loss_tokens,
            "valid_loss": loss,
            "valid_perplexity": math.exp(loss),
            "gradient_norm": position.norm_sum / position.num_steps,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "tokens_per_s": round(position.loss_tokens / position.seconds, 1),
            "seconds": round(position.seconds, 1),
        }
        print(
            f"{position.tokens:,} tokens: perplexity {math.exp(line['loss']):.2f}, valid {math.exp(loss):.2f} "
            f"({loss / math.log(2):.3f} bits), {line['tokens_per_s']:,.0f} tokens/s",
            flush=True,
        )
        position.loss_sum = position.norm_sum = position.seconds = 0.0
        position.loss_tokens = position.num_steps = 0
        self.finish(line)

    def draw(self, path: Path, title: str) -> None:
        """Draw losses and learning rate."""
        draw_language_curves(path, self.position.history, title=title, level=self.config.text.level)

    def _model_state(self) -> dict[str, Any]:
        return {
            "weights": {name: p.detach().clone() for name, p in self.model.named_parameters()},
            "tokens": list(self.setup.vocabulary.tokens),
            "epoch": len(self.position.history) + 1,
        }

    def _progress(self) -> "tqdm[Any]":
        return tqdm(
            total=self.config.loop.total_tokens,
            initial=self.position.tokens,
            unit="token",
            unit_scale=True,
            disable=None,
        )


training = LanguageTraining
"""What `seqserve.training.runs` calls, by the name that it has for every kind."""


def windows_of(
    corpus: TokenIds, config: LanguageConfig, rows: int, generator: np.random.Generator | None
) -> Iterator[Window]:
    """Yield the windows of one pass; a running text that is not trained on needs no generator."""
    loop = config.loop
    if config.text.unit == "stream":
        return stream_windows(corpus, generator, batch_size=rows, bptt_length=loop.bptt_length)
    assert generator is not None
    return sequence_windows(
        corpus, generator, batch_size=rows, batch_tokens=loop.batch_tokens, bptt_length=loop.bptt_length
    )


@torch.no_grad()
def evaluate_tokens(model: Any, corpus: TokenIds, config: LanguageConfig) -> float:
    """Return the mean -log p per token in nats, <EOS> counted, <UNK> included.

    A running text is cut into up to EVALUATION_ROWS streams, each of which starts from a<0> = 0.
    """
    model.eval()
    is_stream = config.text.unit == "stream"
    rows = max(1, min(EVALUATION_ROWS, corpus.num_tokens // 500)) if is_stream else EVALUATION_ROWS
    windows = windows_of(corpus, config, rows, None if is_stream else np.random.default_rng(0))
    total, num_tokens = 0.0, 0
    state: State = []
    for window in windows:
        hidden, _, state = model(window.previous, [] if window.starts else state)
        total += float(model.loss(hidden, window.targets, window.mask))
        num_tokens += window.num_tokens
    return total / num_tokens
