from importlib.util import find_spec

import pytest

# Serving needs no torch, and neither do its tests; these do.
collect_ignore_glob = [] if find_spec("torch") else ["*"]


@pytest.fixture(autouse=True)
def keep_denormals():
    """Opening a bundle makes its thread flush denormals to zero; weights are compared bit for bit with them kept."""
    if find_spec("torch"):
        import torch

        torch.set_flush_denormal(False)
