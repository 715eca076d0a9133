"""Stacked recurrent layers over padded rows, in one direction or both."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from seqserve.training.layers.cells import build_cells
from seqserve.training.layers.characters import reverse
from seqserve.training.layers.dropout import LockedDropout
from seqserve.training.layers.recurrent import run_cell


@dataclass(frozen=True)
class EncoderDropout:
    """Probabilities: locked masks before the first layer, between layers, after the last; weight drop."""

    input: float = 0.0
    hidden: float = 0.0
    output: float = 0.0
    recurrent: float = 0.0


class EncoderLayer(nn.Module):
    """Every a<t> of one cell from a zero state, (B,T,I) -> (B,T,D*H); both directions: [forward, backward].

    The backward cell reads each row reversed by its length: as fast as packed sequences on CPUs, and every tensor of
    the model keeps its (B,T,·) shape.
    """

    def __init__(self, cell: str, input_size: int, hidden_size: int, *, bidirectional: bool, recurrent_dropout: float):
        super().__init__()
        cells = build_cells(cell, [(input_size, hidden_size)] * (2 if bidirectional else 1))
        self.forward_cell = cells[0]
        self.backward_cell = cells[1] if bidirectional else None
        self.recurrent_dropout = recurrent_dropout

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        forward = run_cell(self.forward_cell, inputs, None, recurrent_dropout=self.recurrent_dropout)[0]
        if self.backward_cell is None:
            return forward
        reversed_inputs = reverse(inputs, lengths)
        backward = run_cell(self.backward_cell, reversed_inputs, None, recurrent_dropout=self.recurrent_dropout)[0]
        return torch.cat([forward, reverse(backward, lengths)], dim=2)


class Encoder(nn.Module):
    """`num_layers` layers with locked dropout before, between and after them: (B,T,I), (B,) -> (B,T,D*H).

    a[l]<t> comes from a[l]<t-1> and a[l-1]<t>.
    """

    def __init__(
        self,
        cell: str,
        sizes: tuple[int, int],
        *,
        num_layers: int,
        bidirectional: bool,
        dropout: EncoderDropout,
    ):
        """`sizes`: of an input, and of a hidden state in one direction."""
        super().__init__()
        input_size, hidden_size = sizes
        self.size = (2 if bidirectional else 1) * hidden_size
        self.bidirectional = bidirectional
        self.layers = nn.ModuleList(
            EncoderLayer(cell, size, hidden_size, bidirectional=bidirectional, recurrent_dropout=dropout.recurrent)
            for size, _ in pairwise([input_size, *[self.size] * num_layers])
        )
        between = [LockedDropout(dropout.hidden) for _ in range(num_layers - 1)]
        self.dropouts = nn.ModuleList([LockedDropout(dropout.input), *between, LockedDropout(dropout.output)])

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        outputs = inputs
        for before, layer in zip(self.dropouts, self.layers, strict=False):
            outputs = layer(before(outputs), lengths)
        return self.dropouts[-1](outputs)


class FeedForward(nn.Module):
    """Linear layers with relu, without connections over time: (…,I) -> (…,sizes[-1]); no sizes: the inputs."""

    def __init__(self, input_size: int, sizes: tuple[int, ...]):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise([input_size, *sizes]))
        self.size = sizes[-1] if sizes else input_size

    def forward(self, inputs: Tensor) -> Tensor:
        outputs = inputs
        for layer in self.layers:
            outputs = torch.relu(layer(outputs))
        return outputs
