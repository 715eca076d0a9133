"""A cell's own step as a sequence: a Scan over all T that keeps each row's state from its end on.

Backward, it keeps the first state until it meets the row's last token.

The runtime's RNN operator changes a row's bits with its batch, and it does not know every cell; a Scan of the step's
own nodes gives the bits of the step. What depends on the inputs only is computed before, for all tokens at once.
Products are Gemm with their summand: MatMul and Add are fused in one place and not in another, which rounds otherwise.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from seqserve.training.export.builder import GraphBuilder, scan
from seqserve.training.export.cells.cell import Cell, Parts
from seqserve.training.export.cells.operator import reorder_gates
from seqserve.training.export.mask import add_mask
from seqserve.training.export.weights import Arrays


class AddBody(Protocol):
    """Projected inputs (B,G*H) and parts of the state, each (B,H) -> the new parts."""

    def __call__(self, graph: GraphBuilder, layer: Arrays, projected: str, parts: Parts, *, name: str) -> list[str]: ...


def scan_cell(
    add_body: AddBody,
    *,
    num_parts: int,
    num_gates: int,
    order: Sequence[int] | None = None,
    has_peepholes: bool = False,
) -> Cell:
    """Return the cell of that body; `order` of the gates' blocks in what it reads, None: as the weights have them."""
    own_order = range(num_gates) if order is None else order

    def add_projection(graph: GraphBuilder, layer: Arrays, inputs: str, *, name: str) -> str:
        """Map inputs (N,I) -> their share of the gates (N,G*H), both biases in it."""
        weight = graph.weight(name + ".input_weight", reorder_gates(layer["weight_ih_l0"], own_order))
        bias = graph.weight(name + ".bias", reorder_gates(layer["bias_ih_l0"] + layer["bias_hh_l0"], own_order))
        return graph.add("Gemm", [inputs, weight, bias], name + ".projected", transB=1)

    def add_step(graph: GraphBuilder, layer: Arrays, inputs: str, parts: Parts, *, name: str) -> list[str]:
        return add_body(graph, layer, add_projection(graph, layer, inputs, name=name), parts, name=name)

    def add_sequence(
        graph: GraphBuilder,
        layer: Arrays,
        inputs: str,
        lengths: str,
        parts: Parts,
        *,
        name: str,
        backward: bool = False,
    ) -> tuple[str, list[str]]:
        first = parts or [_add_zeros(graph, inputs, layer["weight_hh_l0"].shape[1], name=name)] * num_parts
        size = layer["weight_ih_l0"].shape[1]
        flat = graph.add("Reshape", [inputs, graph.ints(-1, size)], name + ".flat")  # (T*B,I)
        from_inputs = add_projection(graph, layer, flat, name=name)
        rows = graph.add("Shape", [inputs], name + ".rows", end=2)
        shape = graph.add("Concat", [rows, graph.ints(-1)], name + ".deep", axis=0)
        projected = graph.add("Reshape", [from_inputs, shape], name + ".projected.by_token")  # (T,B,G*H)
        is_real = add_mask(graph, inputs, lengths, name=name)  # (T,B,1)
        body = graph.body()
        before = [body.unique(name + ".before") for _ in first]
        row, real = body.unique(name + ".row"), body.unique(name + ".real")
        new = add_body(body, layer, row, before, name=name)
        after = [body.add("Where", [real, value, old], name + ".after") for value, old in zip(new, before, strict=True)]
        outputs = body.add("Identity", [after[0]], name + ".output")
        last, (collected,) = scan(
            graph,
            body,
            states=list(zip(first, before, after, strict=True)),
            sequences=[(projected, row), (is_real, real)],
            collected=[(outputs, name + ".outputs")],
            kinds={real: TensorProto.BOOL},
            backward=backward,
        )
        return collected, last

    return Cell(num_parts, num_gates, add_step, add_sequence, has_peepholes=has_peepholes)


def add_state_product(graph: GraphBuilder, weight: NDArray[Any], state: str, summand: str, *, name: str) -> str:
    """Add `summand` (B,G*H) + `state` (B,H) times the transpose of weight (G*H,H), which is stored as `name`."""
    stored = graph.weight(name, weight.astype(np.float32))
    return graph.add("Gemm", [state, stored, summand], name + ".sum", transB=1)


def _add_zeros(graph: GraphBuilder, inputs: str, size: int, *, name: str) -> str:
    """Add a zero state (B,H) for inputs (T,B,I)."""
    num_rows = graph.add("Shape", [inputs], name + ".num_rows", start=1, end=2)
    shape = graph.add("Concat", [num_rows, graph.ints(size)], name + ".state_shape", axis=0)
    return graph.add("ConstantOfShape", [shape], name + ".zeros")
