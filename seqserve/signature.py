"""What a graph takes and gives: names, types and shapes, as the manifest says them."""

from pathlib import Path

import msgspec

from seqserve.entries import GraphEntry, Tensor
from seqserve.errors import BundleError

Signature = tuple[list[Tensor], list[Tensor]]
"""Inputs and outputs."""


def tensors(**described: str) -> list[Tensor]:
    """Return tensors by name, each described as "int32 B T 7": its type, and names or sizes of its dimensions."""
    found = []
    for name, text in described.items():
        dtype, *shape = text.split()
        sizes = [int(size) if size.isdecimal() else size for size in shape]
        found.append(msgspec.convert({"name": name, "dtype": dtype, "shape": sizes}, Tensor))
    return found


def sentence_inputs() -> list[Tensor]:
    """Return what every graph that reads words and their characters takes; see `seqserve.encoding.TokenBatch`."""
    return tensors(words="int32 B T", chars="int32 B T L", lengths="int32 B")


def check_signature(path: Path, graph: str, entry: GraphEntry, signature: Signature) -> None:
    """Compare a manifest's entry with what the graph must be; names of dimensions are free. Raises BundleError."""
    for kind, found, expected in (("input", entry.inputs, signature[0]), ("output", entry.outputs, signature[1])):
        if _shapes(found) != _shapes(expected):
            raise BundleError(
                f"{path}: the {kind}s of the graph {graph} must be {_shapes(expected)}, not {_shapes(found)}"
            )


def _shapes(tensors: list[Tensor]) -> dict[str, str]:
    """Return "dtype[dimensions]" by name, with a * for each dimension that varies."""
    return {
        tensor.name: f"{tensor.dtype}{[size if isinstance(size, int) else '*' for size in tensor.shape]}"
        for tensor in tensors
    }
