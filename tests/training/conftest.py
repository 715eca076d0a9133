from importlib.util import find_spec

import pytest

from tests.pictures import quick_pictures as quick_pictures

# Serving needs no torch, and neither do its tests; these do.
collect_ignore_glob = [] if find_spec("torch") else ["*"]


@pytest.fixture(autouse=True)
def one_thread_and_denormals():
    """Weights are compared bit for bit; opening a bundle makes its thread flush denormals to zero.

    One thread: two that wait for each other on a busy machine take many times as long.
    """
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)
        torch.set_flush_denormal(False)
