"""Both GRUs by the runtime's operator: reset before the product (Cho et al. 2014), and after it (torch.nn.GRU)."""

import numpy as np

from seqserve.training.export.cells.operator import operator_cell
from seqserve.training.export.weights import Arrays

_TO_ONNX = (1, 0, 2)  # ours and torch's gates are r,z,n; the operator's z,r,h


def _negate_update_gate(layer: Arrays) -> Arrays:
    """Negate the update gate: the operator's z keeps the old state, so z = 1 - sigmoid(u) = sigmoid(-u)."""
    signs = np.repeat(np.array([1, -1, 1], np.float32), layer["weight_hh_l0"].shape[1])
    return {key: (array.T * signs).T for key, array in layer.items()}


GRU = operator_cell("GRU", _TO_ONNX, prepare=_negate_update_gate, attributes={"linear_before_reset": 0})
GRU_CUDNN = operator_cell("GRU", _TO_ONNX, attributes={"linear_before_reset": 1})
