"""A recurrent language model: P(y<t> | y<1>, ..., y<t-1>) at every t, from x<1> = 0 and a<0> = 0."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from seqserve.training.language.config import LanguageLoop, LanguageModelConfig
from seqserve.training.layers.cells import build_cells
from seqserve.training.layers.dropout import LockedDropout
from seqserve.training.layers.recurrent import Parts, run_cell
from seqserve.training.layers.softmax import AdaptiveSoftmax, FullSoftmax, SampledSoftmax
from seqserve.vocabulary.tokens import START_ID

State = list[Parts]
"""The state of every layer; an empty list is a<0> = 0."""


class LanguageModel(nn.Module):
    """x<t> = embedding of y<t-1>, stacked recurrent layers, softmax; locked dropout around every layer."""

    def __init__(self, config: LanguageModelConfig, num_tokens: int, *, exact_tokens: int = 0, sampled_tokens: int = 0):
        super().__init__()
        self.config = config
        self.precision = torch.float32
        self.embedding = nn.Embedding(num_tokens, config.embedding_dim)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        sizes = [config.embedding_dim] + [config.hidden_size] * config.num_layers
        if config.tied and not config.projection_dim:
            sizes[-1] = config.embedding_dim
        self.layers = nn.ModuleList(build_cells(config.cell, pairwise(sizes)))
        size = config.projection_dim or sizes[-1]
        self.projection = nn.Linear(sizes[-1], size) if config.projection_dim else None
        table = self.embedding.weight if config.tied else None
        self.softmax: FullSoftmax | AdaptiveSoftmax
        if config.softmax == "adaptive":
            self.softmax = AdaptiveSoftmax(size, num_tokens, cutoffs=config.cutoffs)
        elif sampled_tokens:
            self.softmax = SampledSoftmax(
                size, num_tokens, tied_to=table, num_exact=exact_tokens, num_samples=sampled_tokens
            )
        else:
            self.softmax = FullSoftmax(size, num_tokens, tied_to=table)
        rates = config.dropout
        between = [LockedDropout(rates.hidden) for _ in range(config.num_layers - 1)]
        self.dropouts = nn.ModuleList([LockedDropout(rates.input), *between, LockedDropout(rates.output)])

    def forward(self, previous: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """Read y<t-1> (B,T) int64, START_ID where x<t> = 0.

        Returns h (B,T,P) with its dropout, the last layer's a (B,T,H) without, and the state after the last position.
        """
        outputs = self._embed(previous)
        new_state: State = []
        raw = outputs
        with torch.autocast("cpu", torch.bfloat16, enabled=self.precision == torch.bfloat16):
            for number, layer in enumerate(self.layers):
                raw, final = run_cell(
                    layer,
                    self.dropouts[number](outputs),
                    state[number] if state else None,
                    recurrent_dropout=self.config.dropout.recurrent,
                )
                new_state.append(tuple(part.detach().float() for part in final))
                outputs = raw
            raw = raw.float()
            hidden = self.dropouts[-1](raw)
            if self.projection is not None:
                hidden = self.projection(hidden).float()
        return hidden, raw, new_state

    def loss(self, hidden: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Sum -log p(target) over True positions in nats, a scalar; hidden (B,T,P), targets and mask (B,T)."""
        return self.softmax.loss(hidden[mask], targets[mask], dtype=self.precision)

    def _embed(self, previous: Tensor) -> Tensor:
        is_token = (previous != START_ID).unsqueeze(2)
        embedded = self.embedding(previous.clamp(min=0)) * is_token
        rate = self.config.dropout.embedding
        if self.training and rate:  # one mask per type, not per position (Gal & Ghahramani 2016)
            keep = torch.empty(self.embedding.num_embeddings, 1).bernoulli_(1.0 - rate) / (1.0 - rate)
            embedded = embedded * keep[previous.clamp(min=0)]
        return embedded


def activation_penalties(hidden: Tensor, raw: Tensor, mask: Tensor, loop: LanguageLoop) -> Tensor:
    """Return AR alpha * mean h^2 on what the softmax reads, TAR beta * mean (a<t> - a<t-1>)^2 (Merity et al. 2017)."""
    total = torch.zeros(())
    if loop.activation_penalty:
        total = total + loop.activation_penalty * hidden[mask].pow(2).mean()
    if loop.slowness_penalty and raw.shape[1] > 1:
        total = total + loop.slowness_penalty * (raw[:, 1:] - raw[:, :-1])[mask[:, 1:]].pow(2).mean()
    return total
