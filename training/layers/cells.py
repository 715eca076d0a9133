"""Every recurrent cell by the name that configurations and manifests give it."""

from __future__ import annotations

from torch import nn

from seqserve.training.layers.gru import GRU, SimplifiedGRU
from seqserve.training.layers.peephole_lstm import PeepholeLSTM


def build_cell(cell: str, input_size: int, hidden_size: int) -> nn.Module:
    """One unidirectional layer, batch first, by the cell's name in a configuration."""
    own: dict[str, type[nn.Module]] = {"gru-simplified": SimplifiedGRU, "gru": GRU, "lstm-peephole": PeepholeLSTM}
    if cell in own:
        return own[cell](input_size, hidden_size)
    if cell == "rnn-relu":
        return nn.RNN(input_size, hidden_size, nonlinearity="relu", batch_first=True)
    return {"rnn": nn.RNN, "gru-cudnn": nn.GRU, "lstm": nn.LSTM}[cell](input_size, hidden_size, batch_first=True)
