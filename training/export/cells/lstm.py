"""LSTM (torch.nn.LSTM; no peepholes), by the runtime's operator: it is near the machine's peak."""

from seqserve.training.export.cells.operator import operator_cell

_TO_ONNX = (0, 3, 1, 2)  # torch's gates are i,f,g,o; the operator's i,o,f,c

LSTM = operator_cell("LSTM", _TO_ONNX)
