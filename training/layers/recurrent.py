"""One recurrent layer of any cell: first weights, and a run over rows with weight drop."""

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import dropout

_FROM_STATE = {"weight_hh_l0", "weight_ch_l0"}  # products of the state, on which weight drop acts

Parts = tuple[Tensor, ...]
"""State of one layer: hidden_state (1,B,H) and, for both LSTMs, cell_state (1,B,H)."""


def run_cell(cell: nn.Module, inputs: Tensor, first: Parts | None, *, recurrent_dropout: float) -> tuple[Tensor, Parts]:
    """Map inputs (B,T,I), state before the first token (None: zeros) -> every a<t> (B,T,H), state after the last.

    While training, recurrent_dropout of the hidden-to-hidden weights is zeroed, one mask a call (Merity et al. 2017).
    """
    weights: dict[str, Tensor] = dict(cell.named_parameters())
    if cell.training and recurrent_dropout:
        for name in sorted(weights.keys() & _FROM_STATE):
            weights[name] = dropout(weights[name], recurrent_dropout)
    given = () if first is None else (first if len(first) > 1 else first[0],)
    outputs, final = functional_call(cell, weights, (inputs, *given))
    return outputs, final if isinstance(final, tuple) else (final,)


@torch.no_grad()
def initialise_cell(cell: nn.Module, *, has_forget_gate: bool) -> None:
    """Draw Glorot input weights and orthogonal recurrent weights gate by gate; biases and peepholes are 0.

    The bias of a forget gate is 1 (Jozefowicz et al. 2015).
    """
    size = cell.get_parameter("weight_hh_l0").shape[1]
    for name, weight in cell.named_parameters():
        if name.startswith("weight_ih"):
            for gate in weight.split(size):
                nn.init.xavier_uniform_(gate)
        elif name.startswith("weight_hh"):
            for gate in weight.split(size):
                nn.init.orthogonal_(gate)
        else:
            nn.init.zeros_(weight)
            if has_forget_gate and name.startswith("bias_ih"):
                weight[size : 2 * size] = 1.0  # gate order of both LSTMs: input, forget, candidate, output
