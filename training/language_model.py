"""A recurrent language model: P(y<t> | y<1>, ..., y<t-1>) at every t, from x<1> = 0 and a<0> = 0."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import dropout

from bundle.token_vocabulary import START_ID
from training.cells import build_cell
from training.dropout import LockedDropout
from training.encoder import initialise_lstm
from training.language_config import LanguageLoop, LanguageModelConfig
from training.softmax import AdaptiveSoftmax, FullSoftmax, SampledSoftmax

_FROM_STATE = {"weight_hh_l0", "weight_ch_l0"}  # what a part of the state runs through: weight drop acts on it

State = list[tuple[Tensor, ...]]
"""For each layer hidden_state (1,B,H) and, for both LSTMs, cell_state (1,B,H); an empty list is a<0> = 0."""


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
        self.layers = nn.ModuleList(build_cell(config.cell, size, hidden) for size, hidden in pairwise(sizes))
        for layer in self.layers:
            initialise_recurrent(layer, has_forget_gate="lstm" in config.cell)
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
                raw, final = self._run(layer, self.dropouts[number](outputs), state[number] if state else None)
                new_state.append(tuple(part.detach().float() for part in final))
                outputs = raw
            raw = raw.float()
            hidden = self.dropouts[-1](raw)
            if self.projection is not None:
                hidden = self.projection(hidden).float()
        return hidden, raw, new_state

    def loss(self, hidden: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Sum of -log p(target) over True positions in nats, a scalar; hidden (B,T,P), targets and mask (B,T)."""
        return self.softmax.loss(hidden[mask], targets[mask], dtype=self.precision)

    def _embed(self, previous: Tensor) -> Tensor:
        is_token = (previous != START_ID).unsqueeze(2)
        embedded = self.embedding(previous.clamp(min=0)) * is_token
        rate = self.config.dropout.embedding
        if self.training and rate:  # one mask per type, not per position (Gal & Ghahramani 2016)
            keep = torch.empty(self.embedding.num_embeddings, 1).bernoulli_(1.0 - rate) / (1.0 - rate)
            embedded = embedded * keep[previous.clamp(min=0)]
        return embedded

    def _run(
        self, layer: nn.Module, inputs: Tensor, state: tuple[Tensor, ...] | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        weights: dict[str, Tensor] = dict(layer.named_parameters())
        if self.training and self.config.dropout.recurrent:
            for name in sorted(weights.keys() & _FROM_STATE):
                weights[name] = dropout(weights[name], self.config.dropout.recurrent)
        given = () if state is None else (state if len(state) > 1 else state[0],)
        outputs, final = functional_call(layer, weights, (inputs, *given))
        return outputs, final if isinstance(final, tuple) else (final,)


@torch.no_grad()
def initialise_recurrent(layer: nn.Module, *, has_forget_gate: bool) -> None:
    """As taggers do for an LSTM; else Glorot input weights, orthogonal recurrent weights gate by gate, biases 0."""
    if has_forget_gate:
        initialise_lstm(layer)
        return
    size = layer.get_parameter("weight_hh_l0").shape[1]
    for name, weight in layer.named_parameters():
        if name.startswith("bias"):
            nn.init.zeros_(weight)
            continue
        for gate in weight.split(size):
            (nn.init.xavier_uniform_ if name.startswith("weight_ih") else nn.init.orthogonal_)(gate)


def activation_penalties(hidden: Tensor, raw: Tensor, mask: Tensor, loop: LanguageLoop) -> Tensor:
    """AR alpha * mean h^2 on what the softmax reads, TAR beta * mean (a<t> - a<t-1>)^2 (Merity et al. 2017)."""
    total = torch.zeros(())
    if loop.activation_penalty:
        total = total + loop.activation_penalty * hidden[mask].pow(2).mean()
    if loop.slowness_penalty and raw.shape[1] > 1:
        total = total + loop.slowness_penalty * (raw[:, 1:] - raw[:, :-1])[mask[:, 1:]].pow(2).mean()
    return total
