"""Serve models over HTTP; needs no torch and nothing of training/."""

import os

# One worker process a core: a pool of BLAS threads in each would only be in the way, and break at a fork.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
