"""What is served of what a check has reported."""

from pathlib import Path

import msgspec
import pytest

from benchmarks.faults.models_folder import add_version, make_models_folder
from seqserve.errors import BundleError
from seqserve.graph import Graph
from seqserve.service.app import make_registry
from seqserve.service.engine.checks import check_bundles
from seqserve.service.engine.open_models import take_reported
from seqserve.service.engine.reports import BundleReport
from seqserve.service.settings import Settings
from tests.service.conftest import BUNDLES


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return make_models_folder(tmp_path / "models", BUNDLES, ["tiny-ner", "tiny-char-lm"])


def reports(models: Path) -> list[BundleReport]:
    return [message for message in check_bundles([models], provider="cpu") if isinstance(message, BundleReport)]


def test_what_comes_after_the_check_is_not_served(models: Path) -> None:
    reported = reports(models)
    add_version(models, "tiny-ner", "2")
    make_models_folder(models, BUNDLES, ["tiny-classifier"])
    assert make_registry(Settings(models=(models,)), reported).names == ["tiny-char-lm 1", "tiny-ner 1"]


def test_no_graph_is_opened(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reported = reports(models)
    monkeypatch.setattr(Graph, "open", None)
    assert [item.manifest.name for item in take_reported(reported)] == ["tiny-char-lm", "tiny-ner"]


@pytest.mark.parametrize("name", ["manifest.json", "words.txt", "labels.txt"])
def test_a_file_that_has_changed_since_the_check_is_not_read(models: Path, name: str) -> None:
    reported = reports(models)
    path = models / "tiny-ner" / "1" / name
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(BundleError, match=rf"{name}: has changed since it was checked"):
        take_reported(reported)
    path.unlink()
    with pytest.raises(BundleError, match=rf"{name}: has changed since it was checked"):
        take_reported(reported)


def test_a_known_bundle_is_the_same_object_while_its_report_is_the_same(models: Path) -> None:
    known = {item.manifest.name: item for item in take_reported(reports(models))}
    add_version(models, "tiny-ner", "2")
    language, tagger = take_reported(reports(models), known)
    assert language is known["tiny-char-lm"]
    assert (tagger.manifest.version, known["tiny-ner"].manifest.version) == ("2", "1")


def test_what_the_check_found_of_rows_is_what_the_bundle_says(models: Path) -> None:
    reported = [msgspec.structs.replace(report, reproducible=False) for report in reports(models)]
    registry = make_registry(Settings(models=(models,)), reported)
    registry.open()
    assert not any(model.bundle.reproducible for model in registry.models)
