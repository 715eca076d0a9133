"""One checked ONNX Runtime session: named arrays in, named arrays out."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from seqserve.entries import GraphEntry, Tensor
from seqserve.errors import BundleError

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
_DTYPES = {"tensor(float)": "float32", "tensor(int32)": "int32", "tensor(int64)": "int64"}
_ERRORS_ONLY = 3
_LARGE_TOKENS = 512


class Graph:
    """A graph that fits its manifest entry; `run` may be called from any thread."""

    def __init__(self, session: onnxruntime.InferenceSession, spec: GraphEntry) -> None:
        """Take an open session whose inputs and outputs are those of `spec`."""
        self.spec = spec
        self._session = session
        self._output_names = [output.name for output in spec.outputs]
        # Ready to be compared: a step of sampling takes a tenth of a millisecond, and this is done for each.
        self._inputs = [(tensor, np.dtype(tensor.dtype), tuple(tensor.shape)) for tensor in spec.inputs]
        self._has_cpu_arena = session.get_providers() == [_PROVIDERS["cpu"]]
        self._was_large = False

    @classmethod
    def open(cls, path: str | os.PathLike[str], spec: GraphEntry, *, provider: str = "cpu") -> "Graph":
        """Open a graph; its external data is in the same folder.

        Raises BundleError when the runtime refuses it, it does not fit `spec`, or the provider is not there.
        """
        name = provider_name(provider)
        try:
            session = onnxruntime.InferenceSession(os.fspath(path), _session_options(), providers=[name])
        except Exception as error:  # the runtime's exceptions have no narrower common base
            reason = " ".join(str(error).split())
            raise BundleError(f"{path}: the runtime cannot open it: {reason}") from error
        # Without this the runtime would go on quietly on the CPU when the GPU's libraries are not there.
        if name not in session.get_providers():
            raise BundleError(f"{path}: provider {provider!r} could not be started, only {session.get_providers()}")
        _check_tensors(Path(path), "input", session.get_inputs(), spec.inputs)
        _check_tensors(Path(path), "output", session.get_outputs(), spec.outputs)
        return cls(session, spec)

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run the graph; raises ValueError on a wrong name, dtype, rank or size before the runtime sees it."""
        if len(feeds) != len(self._inputs) or any(tensor.name not in feeds for tensor, _, _ in self._inputs):
            raise ValueError(f"inputs must be {[tensor.name for tensor in self.spec.inputs]}, not {list(feeds)}")
        sizes: dict[str, int] = {}
        for tensor, dtype, shape in self._inputs:
            array = feeds[tensor.name]
            if array.dtype != dtype or array.ndim != len(shape):
                raise ValueError(
                    f"input {tensor.name} must be {tensor.dtype} of shape {tensor.shape}, "
                    f"not {array.dtype} of {array.shape}"
                )
            # No rows abort the process inside LSTM, and no steps give zeros or errors.
            if not array.size:
                raise ValueError(f"input {tensor.name} must not be empty, its shape is {array.shape}")
            for size, wanted in zip(array.shape, shape, strict=True):
                expected = wanted if isinstance(wanted, int) else sizes.setdefault(wanted, size)
                if size != expected:
                    raise ValueError(f"input {tensor.name} has {size} instead of {expected} in the dimension {wanted}")
        # The session's arena grows to its largest run, and every graph has one: the first small run after a large one
        # gives that memory back. Runs that are all large keep it; mapping it anew costs them a tenth of their time.
        is_large = feeds[self._inputs[0][0].name].size > _LARGE_TOKENS  # the first input has one id for each token
        options = _SHRINK if self._has_cpu_arena and self._was_large and not is_large else None
        self._was_large = is_large
        return dict(zip(self._output_names, self._session.run(self._output_names, feeds, options), strict=True))


def provider_name(provider: str) -> str:
    """Return the runtime's name of "cpu" or "cuda"; raises BundleError when the installed runtime lacks it."""
    if not isinstance(provider, str) or provider not in _PROVIDERS:
        raise BundleError(f"provider must be one of {', '.join(_PROVIDERS)}, not {provider!r}")
    name = _PROVIDERS[provider]
    if name not in onnxruntime.get_available_providers():
        raise BundleError(f"provider {provider!r} is not available: the installed onnxruntime has no {name}")
    return name


def _shrinking() -> onnxruntime.RunOptions:
    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


_SHRINK = _shrinking()


def _session_options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    # One worker process a core, each with one thread: measured faster than one process with several threads.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _ERRORS_ONLY
    # A memory pattern is kept for every shape seen, and a server sees an unbounded number of shapes.
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    # Without prepacked weights a row's bits change with the size of its batch.
    options.add_session_config_entry("session.disable_prepacking", "0")
    return options


def _check_tensors(path: Path, kind: str, found: list[Any], expected: list[Tensor]) -> None:
    by_name = {tensor.name: tensor for tensor in found}
    if by_name.keys() != {tensor.name for tensor in expected}:
        raise BundleError(
            f"{path}: has the {kind}s {sorted(by_name)} instead of the manifest's {sorted(t.name for t in expected)}"
        )
    for tensor in expected:
        actual = by_name[tensor.name]
        dtype = _DTYPES.get(actual.type, actual.type)
        if dtype != tensor.dtype:
            raise BundleError(f"{path}: {kind} {tensor.name} is {dtype} instead of the manifest's {tensor.dtype}")
        if len(actual.shape) != len(tensor.shape):
            raise BundleError(
                f"{path}: {kind} {tensor.name} has rank {len(actual.shape)} instead of the manifest's {tensor.shape}"
            )
        for size, wanted in zip(actual.shape, tensor.shape, strict=True):
            if isinstance(size, int) and size != wanted:
                raise BundleError(
                    f"{path}: {kind} {tensor.name} has shape {actual.shape} instead of the manifest's {tensor.shape}"
                )
