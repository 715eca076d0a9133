"""The LSTM whose gates see the memory cell, with back-propagation through time written out.

Autograd over a loop adds to the weights' gradients at every token; here they are one product over all tokens, which
makes training half as fast again.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
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
        weight, bias = self._gates_first(self.weight_ih_l0), self._gates_first(self.bias_ih_l0 + self.bias_hh_l0)
        outputs, last_cell = _Scan.apply(
            linear(inputs, weight, bias),
            self._gates_first(self.weight_hh_l0),
            self.weight_ch_l0,
            hidden_state,
            cell_state,
        )
        return outputs, (outputs[None, :, -1], last_cell[None])

    def _gates_first(self, rows: Tensor) -> Tensor:
        """Update, forget, candidate, output -> update, forget, output, candidate: gates with peepholes together."""
        size = self.hidden_size
        return torch.cat([rows[: 2 * size], rows[3 * size :], rows[2 * size : 3 * size]])


class _Scan(torch.autograd.Function):
    """All tokens of the cell, in buffers (T,B,·) that each step writes into; float32 also under autocast."""

    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)  # type: ignore[untyped-decorator]
    def forward(
        ctx: Any, from_inputs: Tensor, from_hidden: Tensor, from_cell: Tensor, hidden_state: Tensor, cell_state: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Inputs' share (B,T,4H), weights (4H,H) and (3H,H), a<0> and c<0> (B,H) -> every a<t> (B,T,H), last c<t>."""
        size = hidden_state.shape[1]
        totals = from_inputs.transpose(0, 1).clone(memory_format=torch.contiguous_format)  # (T,B,4H)
        hidden_states = totals.new_empty(len(totals) + 1, *hidden_state.shape)
        cell_states = torch.empty_like(hidden_states)
        hidden_states[0], cell_states[0] = hidden_state, cell_state
        for t, total in enumerate(totals):
            total.addmm_(hidden_states[t], from_hidden.T)
            gates, candidate = total.split([3 * size, size], dim=1)
            gates.addmm_(cell_states[t], from_cell.T).sigmoid_()
            update_gate, forget_gate, output_gate = gates.split(size, dim=1)  # Γu, Γf, Γo (B,H)
            candidate.tanh_()  # c~ (B,H)
            new_cell = torch.mul(update_gate, candidate, out=cell_states[t + 1])
            new_cell.addcmul_(forget_gate, cell_states[t])
            torch.mul(output_gate, new_cell.tanh(), out=hidden_states[t + 1])
        ctx.save_for_backward(from_hidden, from_cell, hidden_states, cell_states, totals)
        return hidden_states[1:].transpose(0, 1), cell_states[-1].clone()

    @staticmethod
    @torch.amp.custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator]
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor, d_cell: Tensor) -> tuple[Tensor, ...]:
        """d_x is the derivative of the loss by x; by what an activation is applied to, it is `d_totals`."""
        from_hidden, from_cell, hidden_states, cell_states, activated = ctx.saved_tensors
        size = hidden_states.shape[2]
        squashed = cell_states[1:].tanh()
        d_totals = torch.empty_like(activated)  # first the slopes of the activations
        torch.mul(activated[..., : 3 * size], 1 - activated[..., : 3 * size], out=d_totals[..., : 3 * size])
        torch.sub(1, activated[..., 3 * size :].square(), out=d_totals[..., 3 * size :])
        cell_slopes = (1 - squashed.square()).mul_(activated[..., 2 * size : 3 * size])
        d_hidden = torch.zeros_like(hidden_states[0])
        for t in reversed(range(len(activated))):
            update_gate, forget_gate, _, candidate = activated[t].split(size, dim=1)
            d_update, d_forget, d_output, d_candidate = d_totals[t].split(size, dim=1)
            d_hidden = d_hidden + d_outputs[:, t]
            d_cell = torch.addcmul(d_cell, d_hidden, cell_slopes[t])
            d_update.mul_(d_cell).mul_(candidate)
            d_forget.mul_(d_cell).mul_(cell_states[t])
            d_output.mul_(d_hidden).mul_(squashed[t])
            d_candidate.mul_(d_cell).mul_(update_gate)
            d_cell = torch.addmm(d_cell * forget_gate, d_totals[t, :, : 3 * size], from_cell)
            d_hidden = d_totals[t] @ from_hidden
        rows = d_totals.flatten(0, 1)  # (T*B,4H)
        d_from_hidden = rows.T @ hidden_states[:-1].flatten(0, 1)
        d_from_cell = rows[:, : 3 * size].T @ cell_states[:-1].flatten(0, 1)
        return d_totals.transpose(0, 1), d_from_hidden, d_from_cell, d_hidden, d_cell
