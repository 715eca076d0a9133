"""Serves bundles over HTTP and offline; needs no torch and nothing of training/."""

import os

import bundle  # noqa: F401 - before anything of ONNX Runtime: it switches the runtime's telemetry off

VERSION = "0.1.0"

# One worker process a core: a pool of BLAS threads in each would only be in the way, and break at a fork.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
