"""The LSTM whose gates see the memory cell."""

import torch
from torch import Tensor, nn

from seqserve.training.layers.gru import Cell
from seqserve.training.layers.peephole_scan import PeepholeScan


class PeepholeLSTM(Cell):
    """LSTM whose three gates see c<t-1> through full matrices (after Gers & Schmidhuber 2000); ONNX's is another cell.

    Γu = σ(Wu x<t> + Ru a<t-1> + Pu c<t-1> + bu), and so Γf and Γo; c~ = tanh(Wc x<t> + Rc a<t-1> + bc);
    c<t> = Γu c~ + Γf c<t-1>; a<t> = Γo tanh(c<t>). `PeepholeScan` runs them.

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
        """Map inputs (B,T,I), a<0> and c<0> (1,B,H) -> every a<t> (B,T,H), the last a<t> and c<t> (1,B,H)."""
        state = [self._first(inputs, part) for part in first or (None, None)]
        product = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else inputs.dtype
        tensors = (
            inputs.transpose(0, 1).contiguous(),
            self.bias_ih_l0 + self.bias_hh_l0,
            self.weight_ih_l0,
            self.weight_hh_l0,
            self.weight_ch_l0,
        )
        with torch.autocast("cpu", enabled=False):
            outputs, cell_state = PeepholeScan.apply(*(tensor.to(product) for tensor in tensors), *state)
        return outputs.transpose(0, 1), (outputs[-1:], cell_state[None])
