"""The LSTM whose gates see the memory cell."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from training.layers.gru import Cell


class PeepholeLSTM(Cell):
    """LSTM whose three gates see c<t-1> through full matrices (after Gers & Schmidhuber 2000); ONNX's is another cell.

    Rows of the weights: update gate, forget gate, candidate, output gate, as torch's LSTM; of `weight_ch_l0` (3H,H)
    update gate, forget gate, output gate. It starts at 0: as an LSTM without peepholes. ONNX's output gate sees c<t>.
    """

    num_gates = 4

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        self.weight_ch_l0 = nn.Parameter(torch.zeros(3 * hidden_size, hidden_size))

    def forward(
        self, inputs: Tensor, first: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Inputs (B,T,I), a<0> and c<0> (1,B,H) -> every a<t> (B,T,H), the last a<t> and c<t> (1,B,H)."""
        hidden_state, cell_state = (self._first(inputs, part) for part in first or (None, None))
        outputs = []
        for from_input in self._from_inputs(inputs):
            update, forget, candidate, output = (from_input + linear(hidden_state, self.weight_hh_l0)).chunk(4, dim=1)
            update_peep, forget_peep, output_peep = linear(cell_state, self.weight_ch_l0).chunk(3, dim=1)
            update_gate = torch.sigmoid(update + update_peep)  # Γu (B,H)
            forget_gate = torch.sigmoid(forget + forget_peep)  # Γf (B,H)
            output_gate = torch.sigmoid(output + output_peep)  # Γo (B,H)
            cell_state = update_gate * torch.tanh(candidate) + forget_gate * cell_state
            hidden_state = output_gate * torch.tanh(cell_state)
            outputs.append(hidden_state)
        return torch.stack(outputs, dim=1), (hidden_state[None], cell_state[None])
