"""Models checked once and opened later, perhaps much later."""

import os
import shutil
from pathlib import Path

import pytest

from seqserve.errors import BundleError, TaskMismatchError
from seqserve.language.model import LanguageModelBundle
from seqserve.loading import load_bundle
from seqserve.service.app import make_registry
from seqserve.service.settings import Settings
from tests.service.conftest import BUNDLES


@pytest.fixture(params=["tiny-ner", "tiny-lm"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def models(tmp_path: Path, name: str) -> Path:
    shutil.copytree(BUNDLES / name / "1", tmp_path / name / "1")
    return tmp_path


def test_weights_that_changed_since_the_check_are_not_opened(models: Path, name: str) -> None:
    registry = make_registry(Settings(models=(models,)))
    weights = models / name / "1" / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(BundleError, match=r"weights\.safetensors: wrong checksum"):
        registry.open()
    weights.unlink()
    with pytest.raises(BundleError, match=r"weights\.safetensors: named in manifest\.json but missing"):
        registry.open()


def test_the_same_files_written_anew_are_opened(models: Path, name: str) -> None:
    registry = make_registry(Settings(models=(models,)))
    for graph in (models / name / "1").glob("*.onnx"):
        shutil.copy(graph, models / "copy")
        os.replace(models / "copy", graph)
    registry.open()
    assert registry.missing == []


def test_models_of_all_tasks_are_found_by_task() -> None:
    registry = make_registry(Settings(models=(BUNDLES,)))
    registry.open()
    assert registry.find(None, task="tag").manifest.name == "tiny-ner"
    assert registry.find(None, task="language-model").manifest.name == "tiny-char-lm"
    assert registry.find("tiny-lm", task="language-model").manifest.task == "language-model"
    with pytest.raises(TaskMismatchError, match="does 'language-model', not 'tag'"):
        registry.find("tiny-lm", task="tag")


def test_a_model_that_is_set_as_default_answers_where_none_is_named() -> None:
    registry = make_registry(Settings(models=(BUNDLES,), default=(("language-model", "tiny-lm"),)))
    registry.open()
    assert registry.find(None, task="language-model").manifest.name == "tiny-lm"
    assert [name for name in ("tiny-char-lm", "tiny-lm", "tiny-ner") if registry.is_default(name)] == [
        "tiny-lm",
        "tiny-ner",
    ]


def test_a_language_model_opened_again_gives_the_same_numbers() -> None:
    loaded = load_bundle(BUNDLES / "tiny-lm" / "1")
    assert isinstance(loaded, LanguageModelBundle)
    registry = make_registry(Settings(models=(BUNDLES,)))
    registry.open()
    opened = registry.find("tiny-lm", task="language-model").bundle
    ids = [loaded.encode("the cat sat .").ids]
    assert opened.score(ids)[0].log_probs.tobytes() == loaded.score(ids)[0].log_probs.tobytes()
    assert (opened.reproducible, opened.manifest) == (loaded.reproducible, loaded.manifest)
