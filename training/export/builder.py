"""A small builder of ONNX graphs: names, nodes, inline constants and external weights."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from seqserve.entries import Tensor

OPSET = 20  # later opsets lose CUDA kernels in ONNX Runtime
IR_VERSION = 9  # the lowest that knows opset 20
PRODUCER = "seqserve"


class GraphBuilder:
    """One graph under construction; every value has a name, unique in the graph and its subgraphs.

    Arrays given to `weight` live in `tensors` and are written to the external data file; `ints` and `scalar`
    make small constants that stay inline and are shared.
    """

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[tuple[str, str], onnx.TensorProto] = {}
        self.tensors: dict[str, NDArray[Any]] = {}
        self._names: set[str] = set()

    def unique(self, name: str) -> str:
        """Return `name`, or `name_2`, `name_3`, … when it is taken."""
        candidate, count = name, 1
        while candidate in self._names:
            count += 1
            candidate = f"{name}_{count}"
        self._names.add(candidate)
        return candidate

    def add(self, op: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """Add a node with one output and return the output's name; an empty input name leaves that input out."""
        return self.add_many(op, inputs, [name], **attributes)[0]

    def add_many(self, op: str, inputs: Sequence[str], names: Sequence[str], **attributes: Any) -> list[str]:
        """Add a node and return the names of its outputs; an empty name leaves that output out."""
        outputs = [self.unique(name) if name else "" for name in names]
        label = next(output for output in outputs if output)
        self.nodes.append(helper.make_node(op, list(inputs), outputs, name=label, **attributes))
        return outputs

    def weight(self, name: str, array: NDArray[Any]) -> str:
        """Register an array of the external data file."""
        name = self.unique(name)
        self.tensors[name] = np.ascontiguousarray(array)
        return name

    def ints(self, *values: int) -> str:
        """Return the name of an inline vector of int64: axes, shapes, places of a slice."""
        return self._constant(np.array(values, dtype=np.int64))

    def scalar(self, value: float, dtype: type) -> str:
        """Return the name of an inline scalar."""
        return self._constant(np.array(value, dtype=dtype))

    def _constant(self, array: NDArray[Any]) -> str:
        key = str(array.dtype), str(array.tolist())
        if key not in self.constants:
            name = self.unique(f"{key[0]} {key[1]}")
            self.constants[key] = numpy_helper.from_array(array, name)
        return self.constants[key].name

    def body(self) -> "GraphBuilder":
        """Return a builder for a subgraph that shares this graph's names, constants and weights."""
        inner = GraphBuilder()
        inner._names, inner.constants, inner.tensors = self._names, self.constants, self.tensors
        return inner

    def model(
        self, name: str, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[onnx.ValueInfoProto]
    ) -> onnx.ModelProto:
        """Return the model; its weights are initializers whose offsets in the file are not known yet."""
        weights = [place_holder(key, array) for key, array in self.tensors.items()]
        graph = helper.make_graph(self.nodes, name, list(inputs), list(outputs), [*weights, *self.constants.values()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name=PRODUCER)
        model.ir_version = IR_VERSION
        return model


def value_infos(tensors: Sequence[Tensor]) -> list[onnx.ValueInfoProto]:
    """Return a manifest's tensors as ONNX describes inputs and outputs."""
    return [
        helper.make_tensor_value_info(
            tensor.name, helper.np_dtype_to_tensor_dtype(np.dtype(tensor.dtype)), tensor.shape
        )
        for tensor in tensors
    ]


def place_holder(name: str, array: NDArray[Any]) -> onnx.TensorProto:
    """Return the initializer of an array in the external data file; its offset is not known yet."""
    tensor = TensorProto(name=name, data_type=helper.np_dtype_to_tensor_dtype(array.dtype), dims=array.shape)
    tensor.data_location = TensorProto.EXTERNAL
    return tensor


def scan(
    graph: GraphBuilder,
    body: GraphBuilder,
    *,
    states: Sequence[tuple[str, str, str]],
    sequences: Sequence[tuple[str, str]],
    collected: Sequence[tuple[str, str]],
    kinds: Mapping[str, int],
    backward: bool = False,
) -> tuple[list[str], list[str]]:
    """Add a Scan over axis 0 and return the names of its last states and of its collected outputs.

    `states`: (initial value, name inside, name inside after the step) of each carried value.
    `sequences`: (value of shape (T,…), name inside of one step).
    `collected`: (name inside, name of the result of shape (T,…)), each at the place of its step.
    `kinds`: element types of the names inside; those left out are float32. `backward`: from the last to the first.
    """
    inside = [name for _, name, _ in states] + [name for _, name in sequences]
    results = [name for _, _, name in states] + [name for name, _ in collected]

    def described(names: Sequence[str]) -> list[onnx.ValueInfoProto]:
        return [helper.make_tensor_value_info(name, kinds.get(name, TensorProto.FLOAT), None) for name in names]

    last = [graph.unique("last_" + name) for _, name, _ in states]
    outputs = [graph.unique(name) for _, name in collected]
    directions: dict[str, Any] = {
        "scan_input_directions": [1] * len(sequences),
        "scan_output_directions": [1] * len(collected),
    }
    node = helper.make_node(
        "Scan",
        [first for first, _, _ in states] + [value for value, _ in sequences],
        last + outputs,
        name=graph.unique("scan_" + outputs[0]),
        body=helper.make_graph(body.nodes, "step", described(inside), described(results)),
        num_scan_inputs=len(sequences),
        **(directions if backward else {}),
    )
    graph.nodes.append(node)
    return last, outputs


def branch(
    graph: GraphBuilder,
    condition: str,
    *,
    then: tuple[GraphBuilder, Sequence[str]],
    otherwise: tuple[GraphBuilder, Sequence[str]],
    names: Sequence[str],
    kinds: Sequence[int],
) -> list[str]:
    """Add an If and return the names of its outputs.

    `then`, `otherwise`: bodies (see `GraphBuilder.body`) and what each gives. `kinds`: element types.
    """
    branches = {}
    for label, (body, results) in {"then": then, "else": otherwise}.items():
        described = map(helper.make_tensor_value_info, results, kinds, [None] * len(kinds))
        name = "otherwise" if label == "else" else label
        branches[f"{label}_branch"] = helper.make_graph(body.nodes, name, [], list(described))
    outputs = [graph.unique(name) for name in names]
    graph.nodes.append(helper.make_node("If", [condition], outputs, name=graph.unique("if_" + outputs[0]), **branches))
    return outputs
