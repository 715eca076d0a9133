"""The weights file of a bundle: a .safetensors that is also the external data file of its graphs."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import safetensors.numpy
from numpy.typing import NDArray

from seqserve.training.export.builder import GraphBuilder

Arrays = Mapping[str, NDArray[Any]]


def save_graphs(folder: Path, *, weights_file: str, graphs: Mapping[str, tuple[onnx.ModelProto, Arrays]]) -> None:
    """Write graphs, each with its tensors, over one weights file into `folder`, and check them against the file.

    Each external initializer gets the place of the tensor of the same name; graphs that name one alike share it.
    """
    shared: dict[str, NDArray[Any]] = {}
    for _, tensors in graphs.values():
        for name, array in tensors.items():
            assert name not in shared or np.array_equal(shared[name], array), f"{name} is not the same in all graphs"
            shared[name] = array
    data = safetensors.numpy.save(shared)
    (folder / weights_file).write_bytes(data)
    for graph_file, (model, _) in graphs.items():
        link(model, places(data), weights_file)
        (folder / graph_file).write_bytes(model.SerializeToString(deterministic=True))
        onnx.checker.check_model(str(folder / graph_file), full_check=True)


def places(data: bytes) -> dict[str, tuple[int, int]]:
    """Return (offset, length) in bytes of every tensor from the beginning of a .safetensors file.

    The file is an 8 byte little-endian header length, the header (JSON), the data; the header counts from the data.
    """
    (header_length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + header_length])
    base = 8 + header_length
    return {
        name: (base + entry["data_offsets"][0], entry["data_offsets"][1] - entry["data_offsets"][0])
        for name, entry in header.items()
        if name != "__metadata__"
    }


def link(model: onnx.ModelProto, where: Mapping[str, tuple[int, int]], weights_file: str) -> None:
    """Point every external initializer of the model to its bytes in the weights file."""
    for tensor in model.graph.initializer:
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        offset, length = where[tensor.name]
        del tensor.external_data[:]
        for key, value in (("location", weights_file), ("offset", str(offset)), ("length", str(length))):
            tensor.external_data.add(key=key, value=value)


def prefixed(weights: Arrays, prefix: str) -> dict[str, NDArray[Any]]:
    """Return the entries whose names begin with `prefix.`, without it."""
    start = prefix + "."
    return {name[len(start) :]: array for name, array in weights.items() if name.startswith(start)}


def add_linear(graph: GraphBuilder, weights: Arrays, layer: str, inputs: str, *, name: str) -> str:
    """Add a linear layer: (N,I) times the transpose of `layer.weight` (O,I), plus `layer.bias` -> (N,O)."""
    parts = [graph.weight(key, weights[key].astype(np.float32)) for key in (f"{layer}.weight", f"{layer}.bias")]
    return graph.add("Gemm", [inputs, *parts], name, transB=1)


def num_parameters(weights: Arrays) -> int:
    """Count the floating-point numbers of a state dict, frozen word vectors included."""
    return sum(array.size for array in weights.values() if np.issubdtype(array.dtype, np.floating))
