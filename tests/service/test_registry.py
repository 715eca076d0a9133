"""Models checked once and opened later, perhaps much later."""

import os
import shutil
from pathlib import Path

import pytest

from bundle.errors import BundleError
from service.app import make_registry
from service.settings import Settings
from tests.service.conftest import BUNDLES


@pytest.fixture
def models(tmp_path: Path) -> Path:
    shutil.copytree(BUNDLES / "tiny-ner" / "1", tmp_path / "tiny-ner" / "1")
    return tmp_path


def test_weights_that_changed_since_the_check_are_not_opened(models: Path) -> None:
    registry = make_registry(Settings(models=models))
    weights = models / "tiny-ner" / "1" / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(BundleError, match=r"weights\.safetensors: wrong checksum"):
        registry.open()
    weights.unlink()
    with pytest.raises(BundleError, match=r"weights\.safetensors: named in manifest\.json but missing"):
        registry.open()


def test_the_same_files_written_anew_are_opened(models: Path) -> None:
    registry = make_registry(Settings(models=models))
    graph = models / "tiny-ner" / "1" / "tagger.onnx"
    shutil.copy(graph, models / "copy")
    os.replace(models / "copy", graph)
    registry.open()
    assert registry.missing == []
