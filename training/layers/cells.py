"""Every recurrent cell by the name that configurations and manifests give it; a new cell is one line here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from torch import nn

from seqserve.training.layers.gru import GRU, SimplifiedGRU
from seqserve.training.layers.peephole_lstm import PeepholeLSTM
from seqserve.training.layers.recurrent import initialise_cell


@dataclass(frozen=True)
class Cell:
    """How a layer is made of its sizes (inputs, hidden units), batch first, in one direction.

    num_parts: arrays of its state; for an LSTM two, hidden state and cell state.
    """

    make: Callable[[int, int], nn.Module]
    num_parts: int = 1
    has_forget_gate: bool = False


CELLS = {
    "rnn": Cell(partial(nn.RNN, batch_first=True)),
    "rnn-relu": Cell(partial(nn.RNN, nonlinearity="relu", batch_first=True)),
    "gru-simplified": Cell(SimplifiedGRU),
    "gru": Cell(GRU),
    "gru-cudnn": Cell(partial(nn.GRU, batch_first=True)),
    "lstm": Cell(partial(nn.LSTM, batch_first=True), num_parts=2, has_forget_gate=True),
    "lstm-peephole": Cell(PeepholeLSTM, num_parts=2, has_forget_gate=True),
}


def build_cells(cell: str, sizes: Iterable[tuple[int, int]]) -> list[nn.Module]:
    """Return layers of those sizes (inputs, hidden units), with their first weights."""
    kind = CELLS[cell]
    layers = [kind.make(input_size, hidden_size) for input_size, hidden_size in sizes]
    for layer in layers:  # after all are made: the order of the draws is part of a seed's result
        initialise_cell(layer, has_forget_gate=kind.has_forget_gate)
    return layers
