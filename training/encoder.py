"""Stacked bidirectional LSTM over padded rows."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import dropout

from training.characters import reverse
from training.dropout import LockedDropout


class BiLSTMLayer(nn.Module):
    """a<t> = [forward a<t>, backward a<t>], (B,T,I) -> (B,T,2H), both from a zero state.

    Two one-directional LSTMs over whole padded rows: the backward one reads the row reversed by its length.
    As fast as packed sequences on CPUs, and every tensor of the model keeps its (B,T,·) shape.
    """

    def __init__(self, input_size: int, hidden_size: int, *, recurrent_dropout: float):
        super().__init__()
        self.forward_lstm = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.backward_lstm = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.recurrent_dropout = recurrent_dropout
        for lstm in (self.forward_lstm, self.backward_lstm):
            initialise_lstm(lstm)

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        forward = self._run(self.forward_lstm, inputs)
        backward = reverse(self._run(self.backward_lstm, reverse(inputs, lengths)), lengths)
        return torch.cat([forward, backward], dim=2)

    def _run(self, lstm: nn.LSTM, inputs: Tensor) -> Tensor:
        if not self.training or not self.recurrent_dropout:
            return lstm(inputs)[0]
        weights: dict[str, Tensor] = dict(lstm.named_parameters())
        weights["weight_hh_l0"] = dropout(weights["weight_hh_l0"], self.recurrent_dropout)
        return functional_call(lstm, weights, (inputs,))[0]


class BiLSTM(nn.Module):
    """`num_layers` layers with locked dropout before, between and after them: (B,T,I), (B,) -> (B,T,2H)."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int,
        input_dropout: float,
        hidden_dropout: float,
        output_dropout: float,
        recurrent_dropout: float,
    ):
        super().__init__()
        sizes = [input_size] + [2 * hidden_size] * (num_layers - 1)
        self.layers = nn.ModuleList(
            BiLSTMLayer(size, hidden_size, recurrent_dropout=recurrent_dropout) for size in sizes
        )
        between = [LockedDropout(hidden_dropout) for _ in range(num_layers - 1)]
        self.dropouts = nn.ModuleList([LockedDropout(input_dropout), *between, LockedDropout(output_dropout)])

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        outputs = inputs
        for before, layer in zip(self.dropouts, self.layers, strict=False):
            outputs = layer(before(outputs), lengths)
        return self.dropouts[-1](outputs)


@torch.no_grad()
def initialise_lstm(lstm: nn.Module) -> None:
    """Glorot input weights, orthogonal recurrent weights, forget bias 1 (Jozefowicz et al. 2015); peepholes 0."""
    size = lstm.get_parameter("weight_hh_l0").shape[1]
    for name, weight in lstm.named_parameters():
        if name.startswith("weight_ih"):
            for gate in weight.split(size):
                nn.init.xavier_uniform_(gate)
        elif name.startswith("weight_hh"):
            for gate in weight.split(size):
                nn.init.orthogonal_(gate)
        else:
            nn.init.zeros_(weight)
            if name.startswith("bias_ih"):
                weight[size : 2 * size] = 1.0  # torch's gate order: input, forget, candidate, output
