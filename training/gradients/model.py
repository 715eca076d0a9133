"""A one-layer language model of the agreement sentences: training, gradients through time, accuracy by distance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from seqserve.training.gradients.agreement import VERBS, WORDS, Sentence, draw_sentences
from seqserve.training.gradients.config import GradientModelConfig, GradientsConfig
from seqserve.training.gradients.norms import norms_by_distance, state_gradients
from seqserve.training.layers.cells import build_cells
from seqserve.training.layers.recurrent import run_cell
from seqserve.training.optimizers import build_optimizer, clip_gradients, learning_rate

_IDS = {word: token_id for token_id, word in enumerate((*WORDS, *VERBS))}
_VERB_IDS = slice(len(WORDS), len(WORDS) + len(VERBS))
_EMBEDDING_RANGE = 1.7  # variance near 1; from inputs as small as 0.1 a tanh layer starts as a linear, lossless one


@dataclass(frozen=True, slots=True)
class Batch:
    """Sentences with their verbs, padded at the end with id 0."""

    token_ids: Tensor  # (B,T+1) int64
    lengths: Tensor  # (B,) words before the verb, so the verb's place
    numbers: Tensor  # (B,) int64, 0 was, 1 were

    @property
    def mask(self) -> Tensor:
        """True where the next word is one of the sentence (B,T)."""
        return torch.arange(self.token_ids.shape[1] - 1) < self.lengths[:, None]


def to_batch(sentences: Sequence[Sentence]) -> Batch:
    """Return sentences as ids."""
    rows = [torch.tensor([_IDS[word] for word in (*each.words, VERBS[each.number])]) for each in sentences]
    return Batch(
        nn.utils.rnn.pad_sequence(rows, batch_first=True),
        torch.tensor([len(each.words) for each in sentences]),
        torch.tensor([each.number for each in sentences]),
    )


def training_batches(config: GradientsConfig) -> list[Batch]:
    """Draw the sentences that every cell learns from, in order; each batch of a distance from 1 to the longest."""
    loop, generator = config.loop, np.random.default_rng([config.seed, 0])
    batches = []
    for _ in range(-(-loop.train_sentences // loop.batch_size)):
        distance = int(generator.integers(1, loop.longest_distance + 1))
        batches.append(to_batch(draw_sentences(generator, distance, loop.batch_size, part="train")))
    return batches


class AgreementModel(nn.Module):
    """P(next word) of the words so far: embedding, one recurrent layer from a zero state, softmax over V words."""

    def __init__(self, cell: str, config: GradientModelConfig):
        super().__init__()
        self.embedding = nn.Embedding(len(_IDS), config.embedding_dim)
        nn.init.uniform_(self.embedding.weight, -_EMBEDDING_RANGE, _EMBEDDING_RANGE)
        (self.cell,) = build_cells(cell, [(config.embedding_dim, config.hidden_size)])
        self.softmax = nn.Linear(config.hidden_size, len(_IDS))

    def forward(self, token_ids: Tensor) -> Tensor:
        """Map (B,T) int64 -> logits of the next word (B,T,V)."""
        return self.softmax(run_cell(self.cell, self.embedding(token_ids), None, recurrent_dropout=0.0)[0])

    def loss(self, batch: Batch, *, verb_weight: float) -> Tensor:
        """Return the mean of -log P(word) over all words but each sentence's first, in nats; a scalar.

        In the mean a verb counts verb_weight times, any other word once.
        """
        mask = batch.mask
        losses = cross_entropy(self(batch.token_ids[:, :-1])[mask], batch.token_ids[:, 1:][mask], reduction="none")
        weights = torch.ones_like(batch.token_ids[:, 1:], dtype=losses.dtype)
        weights[torch.arange(len(weights)), batch.lengths - 1] = verb_weight
        return (losses * weights[mask]).sum() / weights[mask].sum()


def train(model: AgreementModel, batches: Sequence[Batch], config: GradientsConfig) -> float:
    """Make one pass over the batches; return the mean loss over its last tenth, in nats per word, verbs weighted."""
    options, parameters = config.optimizer, list(model.parameters())
    optimizer = build_optimizer(options, parameters)
    losses = []
    for number, batch in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(options, progress=number / len(batches), epoch=0)
        optimizer.zero_grad()
        loss = model.loss(batch, verb_weight=config.loop.verb_weight)
        loss.backward()
        clip_gradients(parameters, norm=options.clip_norm, value=options.clip_value)
        optimizer.step()
        losses.append(loss.item())
    return float(np.mean(losses[len(losses) * 9 // 10 :]))


@torch.no_grad()
def accuracy(model: AgreementModel, batch: Batch) -> float:
    """Return the share of the sentences, 0..1, whose right verb has the higher P of the two; chance is 0.5."""
    logits = model(batch.token_ids[:, :-1])[torch.arange(len(batch.lengths)), batch.lengths - 1, _VERB_IDS]
    right = logits.gather(1, batch.numbers[:, None])
    wrong = logits.gather(1, 1 - batch.numbers[:, None])
    return float((right > wrong).double().mean())


def agreement_norms(model: AgreementModel, batch: Batch, longest: int) -> dict[str, Tensor]:
    """Return the norm of the gradient of L<T> = -log P(right verb) after word T, by T - t (longest+1,), mean over rows.

    hidden_state: by a<t>. state: by all that a cell carries, a<t> and c<t> together, for both LSTMs; else the same.
    The model must be of float64: what vanishes leaves float32's range.
    """
    assert model.softmax.weight.dtype == torch.float64
    last, rows = batch.lengths - 1, torch.arange(len(batch.lengths))
    verbs = batch.token_ids[rows, batch.lengths]

    def loss_of(outputs: Tensor) -> Tensor:
        return cross_entropy(model.softmax(outputs[rows, last]), verbs, reduction="sum")

    gradients = state_gradients(model.cell, model.embedding(batch.token_ids[:, :-1]), loss_of)
    return {
        name: norms_by_distance(parts, last, longest).mean(dim=0)
        for name, parts in (("hidden_state", gradients[:1]), ("state", gradients))
    }
