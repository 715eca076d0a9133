"""Every cell by its name in a manifest; a new cell is one file and one line here."""

from training.export.cells.cell import Cell
from training.export.cells.gru_cudnn import GRU_CUDNN
from training.export.cells.lstm import LSTM
from training.export.cells.rnn import RNN

CELLS = {"lstm": LSTM, "gru-cudnn": GRU_CUDNN, "rnn": RNN}


def find_cell(name: str) -> Cell:
    """Return the cell of that name; raises ValueError when there is none."""
    if name not in CELLS:
        raise ValueError(f"cell is {name!r}, expected one of {', '.join(CELLS)}")
    return CELLS[name]
