from importlib.util import find_spec
from pathlib import Path

import pytest

ONE_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)
"""A PNG."""

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


@pytest.fixture(autouse=True)
def quick_pictures(monkeypatch):
    """Write one pixel in place of every picture: drawing takes five times as long as an epoch of a tiny model.

    test_curves.py draws.
    """
    if find_spec("matplotlib"):
        monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, file, **options: save(file))


def save(file):
    """Write the pixel to a path or an open file."""
    if hasattr(file, "write"):
        file.write(ONE_PIXEL)
    else:
        Path(file).write_bytes(ONE_PIXEL)
