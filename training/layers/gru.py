"""Two GRUs that torch has no module for, each with the interface of a one-layer torch.nn.LSTM.

Weights are named and laid out as torch's: one block of rows a gate. The products of the inputs are computed for all
tokens at once, before the loop over time.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear


class Cell(nn.Module):
    """`num_gates` blocks of rows over inputs and hidden state; `forward` is the cell's equation, a loop over time."""

    num_gates: int

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.hidden_size = hidden_size
        rows = self.num_gates * hidden_size
        self.weight_ih_l0 = nn.Parameter(torch.empty(rows, input_size))
        self.weight_hh_l0 = nn.Parameter(torch.empty(rows, hidden_size))
        self.bias_ih_l0 = nn.Parameter(torch.zeros(rows))
        self.bias_hh_l0 = nn.Parameter(torch.zeros(rows))
        for weight in (self.weight_ih_l0, self.weight_hh_l0):
            nn.init.uniform_(weight, -(hidden_size**-0.5), hidden_size**-0.5)

    def _from_inputs(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Map (B,T,I) -> for every t the inputs' share of the gates with both biases (B,G*H)."""
        return linear(inputs, self.weight_ih_l0, self.bias_ih_l0 + self.bias_hh_l0).unbind(1)

    def _first(self, inputs: Tensor, given: Tensor | None) -> Tensor:
        """Return a part of the state before the first token (B,H); zeros where none is given."""
        return inputs.new_zeros(len(inputs), self.hidden_size) if given is None else given[0]


class SimplifiedGRU(Cell):
    """GRU without the relevance gate; rows of the weights: update gate, candidate."""

    num_gates = 2

    def forward(self, inputs: Tensor, first: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map inputs (B,T,I), c<0> (1,B,H) -> every a<t> = c<t> (B,T,H), the last (1,B,H)."""
        cell_state, outputs = self._first(inputs, first), []
        for from_input in self._from_inputs(inputs):
            update, candidate = (from_input + linear(cell_state, self.weight_hh_l0)).chunk(2, dim=1)
            update_gate = torch.sigmoid(update)  # Γu (B,H)
            candidate = torch.tanh(candidate)  # c~ (B,H)
            cell_state = update_gate * candidate + (1 - update_gate) * cell_state
            outputs.append(cell_state)
        return torch.stack(outputs, dim=1), cell_state[None]


class GRU(Cell):
    """GRU, reset applied before the product (ONNX `linear_before_reset=0`; not `torch.nn.GRU`) (Cho et al. 2014).

    Rows of the weights: relevance gate, update gate, candidate. At 1 the update gate takes the candidate.
    """

    num_gates = 3

    def forward(self, inputs: Tensor, first: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map inputs (B,T,I), c<0> (1,B,H) -> every a<t> = c<t> (B,T,H), the last (1,B,H)."""
        size = self.hidden_size
        of_gates, of_candidate = self.weight_hh_l0.split([2 * size, size])
        cell_state, outputs = self._first(inputs, first), []
        for from_input in self._from_inputs(inputs):
            for_gates, for_candidate = from_input.split([2 * size, size], dim=1)
            relevance, update = (for_gates + linear(cell_state, of_gates)).chunk(2, dim=1)
            relevance_gate = torch.sigmoid(relevance)  # Γr (B,H)
            update_gate = torch.sigmoid(update)  # Γu (B,H)
            candidate = torch.tanh(for_candidate + linear(relevance_gate * cell_state, of_candidate))  # c~ (B,H)
            cell_state = update_gate * candidate + (1 - update_gate) * cell_state
            outputs.append(cell_state)
        return torch.stack(outputs, dim=1), cell_state[None]
