"""LSTM layers of a finished graph with weights of int8: ONNX Runtime's DynamicQuantizeLSTM.

Inputs and states become uint8 while the graph runs, with one scale over all rows of a batch, so a row's answers depend
on its neighbours. Only LSTMs: the products before and after them are no faster in int8 (measured).
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.quant_utils import add_pre_process_metadata

from seqserve.training.export.builder import IR_VERSION, PRODUCER, GraphBuilder, place_holder
from seqserve.training.export.mask import add_mask


def quantize_lstms(graph_file: Path) -> tuple[onnx.ModelProto, dict[str, NDArray[Any]]]:
    """Return the graph with its LSTMs in int8 and the tensors of its weights file (`weights.save_graphs` writes both).

    Weights have one scale for every row of a gate. Raises ValueError when the graph holds no LSTM.
    """
    model = onnx.load(graph_file, load_external_data=False)
    inline = {tensor.name for tensor in model.graph.initializer if tensor.data_location != onnx.TensorProto.EXTERNAL}
    onnx.load_external_data_for_model(model, str(graph_file.parent))
    inline |= _mask_inputs(model.graph)
    quantized = _quantize(model)
    tensors = {
        tensor.name: numpy_helper.to_array(tensor)
        for tensor in quantized.graph.initializer
        if tensor.name not in inline
    }
    kept = [tensor for tensor in quantized.graph.initializer if tensor.name in inline]
    graph = helper.make_graph(
        quantized.graph.node,
        quantized.graph.name,
        quantized.graph.input,
        quantized.graph.output,
        [*(place_holder(name, array) for name, array in tensors.items()), *kept],
    )
    result = helper.make_model(graph, opset_imports=quantized.opset_import, producer_name=PRODUCER)
    result.ir_version = IR_VERSION
    return result, tensors


def _mask_inputs(graph: onnx.GraphProto) -> set[str]:
    """Zero what LSTMs read beyond a row's end, and return the names of the constants for that.

    A float LSTM never sees it, but a scale over the whole batch does, and the characters of padding are far below any
    real feature.
    """
    builder = GraphBuilder()
    for name in _names(graph):
        builder.unique(name)
    for node in graph.node:
        if node.op_type == "LSTM" and len(node.input) > 4 and node.input[4]:
            inputs, lengths = node.input[0], node.input[4]
            is_real = add_mask(builder, inputs, lengths, name=inputs)
            node.input[0] = builder.add("Where", [is_real, inputs, builder.scalar(0, np.float32)], inputs + ".masked")
        builder.nodes.append(node)
    del graph.node[:]
    graph.node.extend(builder.nodes)
    graph.initializer.extend(builder.constants.values())
    return {tensor.name for tensor in builder.constants.values()}


def _names(graph: onnx.GraphProto) -> set[str]:
    """Return every name that a value of the graph has; those of subgraphs begin with the name of their own Scan."""
    values = {tensor.name for tensor in (*graph.initializer, *graph.input)}
    return values | {name for node in graph.node for name in node.output}


def _quantize(model: onnx.ModelProto) -> onnx.ModelProto:
    lstms = [node.name for node in model.graph.node if node.op_type == "LSTM"]
    if not lstms:
        raise ValueError("the graph holds no LSTM")
    add_pre_process_metadata(model)  # shapes are all known; without this a warning is printed
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "int8.onnx")
        quantize_dynamic(
            model,
            file,
            op_types_to_quantize=["LSTM"],
            nodes_to_quantize=lstms,
            per_channel=True,
            # Seven bits: processors without VNNI add two products in 16 bits, which would clip those of eight.
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(file)
