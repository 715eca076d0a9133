"""Every cell by its name in a manifest; a new cell is one file and one line here."""

from seqserve.training.export.cells.cell import Cell
from seqserve.training.export.cells.gru import GRU, GRU_CUDNN
from seqserve.training.export.cells.gru_simplified import GRU_SIMPLIFIED
from seqserve.training.export.cells.lstm import LSTM
from seqserve.training.export.cells.lstm_peephole import LSTM_PEEPHOLE
from seqserve.training.export.cells.rnn import RNN, RNN_RELU

CELLS = {
    "rnn": RNN,
    "rnn-relu": RNN_RELU,
    "gru-simplified": GRU_SIMPLIFIED,
    "gru": GRU,
    "gru-cudnn": GRU_CUDNN,
    "lstm": LSTM,
    "lstm-peephole": LSTM_PEEPHOLE,
}


def find_cell(name: str) -> Cell:
    """Return the cell of that name; raises ValueError when there is none."""
    if name not in CELLS:
        raise ValueError(f"cell is {name!r}, expected one of {', '.join(CELLS)}")
    return CELLS[name]
