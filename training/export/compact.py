"""A graph whose matrices are stored in half precision."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from seqserve.training.export.builder import GraphBuilder
from seqserve.training.export.features import to_float16


class CompactBuilder(GraphBuilder):
    """Stores float32 matrices as float16; the runtime converts them once, when it loads.

    That halves the file and costs the mapping of its weights: each process holds its own float32 copy. Vectors, and
    what a Scan's body multiplies with, stay as they are.
    """

    def weight(self, name: str, array: NDArray[Any]) -> str:
        """Register an array of the external data file; return what gives it as float32."""
        if array.dtype != np.float32 or array.size == max(array.shape, default=0):
            return super().weight(name, array)
        stored = super().weight(name, to_float16(name, array))
        return self.add("Cast", [stored], name + ".float", to=TensorProto.FLOAT)


def make_builder(table_dtype: str) -> GraphBuilder:
    """Return the builder for tables of that type: float16 for all matrices, or float32 for everything."""
    return CompactBuilder() if table_dtype == "float16" else GraphBuilder()
