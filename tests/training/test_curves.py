"""The pictures of a run, drawn for real."""

import struct
from pathlib import Path

import pytest

from seqserve.training.curves import draw_curves, draw_language_curves


@pytest.fixture(autouse=True)
def quick_pictures() -> None:
    """Take the place of the fixture that draws one pixel."""


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of a PNG in pixels."""
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def test_curves_of_a_run_are_a_picture(tmp_path: Path) -> None:
    history = [
        {"epoch": epoch, "loss": 2.0 / epoch, "dev": {"one": 0.5, "two": 0.6}, "dev_score": 0.55} for epoch in (1, 2)
    ]
    draw_curves(tmp_path / "curves.png", history, title="tiny, seed 1", metric="F1, %", scale=100)
    assert size_of(tmp_path / "curves.png") == (1100, 440)


@pytest.mark.parametrize("level", ["word", "character"])
def test_curves_of_a_language_model_are_a_picture(tmp_path: Path, level: str) -> None:
    history = [
        {"tokens": 1000 * number, "loss": 3.0 / number, "valid_loss": 3.1 / number, "learning_rate": 0.1}
        for number in (1, 2)
    ]
    draw_language_curves(tmp_path / "curves.png", history, title="tiny, seed 1", level=level)
    assert size_of(tmp_path / "curves.png") == (1100, 440)
