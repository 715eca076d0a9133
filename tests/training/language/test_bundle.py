"""export_language_model writes a whole bundle or nothing."""

import dataclasses
import json

import numpy as np
import pytest

from seqserve.errors import BundleError
from seqserve.language.model import LanguageModelBundle
from seqserve.loading import load_bundle, verify_bundle
from seqserve.training.export import folder as folders
from seqserve.training.export.folder import Card
from seqserve.training.language.bundle import chunk_tokens, export_language_model
from tests.training.export.language_models import random_model, torch_log_probs

GOLDEN = ["word3 word5 never seen", "word2", "word9 word9 word4"]
OPTIONS = {
    "full": {},
    "tied": {"tied": True},
    "adaptive": {"num_ids": 70, "cutoffs": (10, 30), "cell": "gru-cudnn", "hidden_size": 19},
    "projected": {"cell": "rnn", "projection_dim": 5},
}


@pytest.fixture
def card(tmp_path):
    curves = tmp_path / "run" / "curves.png"
    curves.parent.mkdir()
    curves.write_bytes(b"a picture")
    return Card(
        name="tiny",
        version="3",
        created="2026-01-02",
        description="random weights",
        readme="# tiny\n",
        licence="MIT",
        attribution=["somebody"],
        metrics={"valid": {"perplexity": 40.5}},
        curves=curves,
    )


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_the_bundle_loads_and_answers_as_torch_does(tmp_path, card, options):
    trained = random_model(**options)
    folder = tmp_path / "models" / "tiny" / "3"
    manifest = export_language_model(folder, trained, card, GOLDEN, table_dtype="float32")
    bundle = load_bundle(folder, LanguageModelBundle)
    assert bundle.manifest == manifest == verify_bundle(folder)
    assert bundle.reproducible
    ids = bundle.encode("word3 word30 word8 word3").ids
    expected = torch_log_probs(trained, np.array([[-1, *ids[:-1]]]))[0][np.arange(4), ids]
    np.testing.assert_allclose(bundle.score([ids])[0].log_probs, expected, atol=1e-5)


def test_the_folder_holds_what_the_manifest_names(tmp_path, card):
    folder = tmp_path / "models" / "tiny" / "3"
    manifest = export_language_model(folder, random_model(), card, GOLDEN)
    named = {entry.file for entry in manifest.files()} | {"manifest.json"}
    assert {path.name for path in folder.iterdir()} == named
    assert {"README.md", "curves.png", "tokens.txt", "score.onnx", "step.onnx", "weights.safetensors"} < named
    assert [path.name for path in folder.parent.iterdir()] == ["3"], "something temporary was left behind"


def test_the_manifest_describes_the_model(tmp_path, card):
    trained = random_model(num_ids=70, cutoffs=(10, 30), projection_dim=6)
    manifest = export_language_model(tmp_path / "3", trained, card, GOLDEN)
    architecture = manifest.architecture
    assert (architecture.cell, architecture.level, architecture.num_layers) == ("lstm", "word", 2)
    assert (architecture.embedding_dim, architecture.hidden_size, architecture.projection_dim) == (12, 9, 6)
    assert (architecture.softmax, architecture.cutoffs, architecture.state_size) == ("adaptive", [10, 30], 36)
    assert architecture.num_parameters == sum(array.size for array in trained.weights.values())
    assert manifest.vocabularies.tokens.size == 70
    assert (manifest.tokenization.name, manifest.tokenization.lookup) == ("whitespace", ["exact"])
    assert manifest.limits.max_chunk_tokens == 256
    assert manifest.metrics == {"valid": {"perplexity": 40.5}}


def test_large_tables_are_stored_once_in_half_precision(tmp_path, card):
    trained = random_model(num_ids=3000, tied=True)
    export_language_model(tmp_path / "half", trained, card, GOLDEN)
    export_language_model(tmp_path / "full", trained, card, GOLDEN, table_dtype="float32")
    half, full = ((tmp_path / name / "weights.safetensors").stat().st_size for name in ("half", "full"))
    table = trained.weights["embedding.weight"].size
    assert full - half == pytest.approx(2 * table, abs=64)
    assert full < 4 * sum(array.size for array in trained.weights.values()) + 4096


def test_golden_answers_are_recorded_for_every_text(tmp_path, card):
    export_language_model(tmp_path / "3", random_model(), card, GOLDEN)
    golden = json.loads((tmp_path / "3" / "golden.json").read_text())
    assert [row["ids"] for row in golden["rows"][:3]] == [[3, 5, 1, 1], [2], [9, 9, 4]]


def test_an_existing_bundle_is_never_touched(tmp_path, card):
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "mine").write_text("x")
    with pytest.raises(FileExistsError, match="exists already"):
        export_language_model(tmp_path / "3", random_model(), card, GOLDEN)
    assert [path.name for path in (tmp_path / "3").iterdir()] == ["mine"]


def test_a_bundle_that_does_not_load_is_never_there(tmp_path, card, monkeypatch):
    def refuse(folder):
        raise BundleError(f"{folder}: no")

    monkeypatch.setattr(folders, "load_bundle", refuse)
    with pytest.raises(BundleError):
        export_language_model(tmp_path / "tiny" / "3", random_model(), card, GOLDEN)
    assert list((tmp_path / "tiny").iterdir()) == []


def test_a_bundle_whose_rows_change_with_the_batch_says_so(tmp_path, card, monkeypatch):
    loaded = folders.load_bundle
    monkeypatch.setattr(folders, "load_bundle", lambda folder: dataclasses.replace(loaded(folder), reproducible=False))
    manifest = export_language_model(tmp_path / "3", random_model(), card, GOLDEN)
    assert not manifest.reproducible
    assert not verify_bundle(tmp_path / "3").reproducible


def test_the_longest_row_of_a_run_bounds_its_memory():
    assert chunk_tokens(100) == 256
    assert chunk_tokens(10_000) == 104
    assert chunk_tokens(1_000_000) == 16


WRONG = {
    "cell": ({"cell": "peephole"}, "cell is 'peephole', expected one of"),
    "tokens": ({"tokens": ["a", "b"]}, r"embedding.weight has the shape \(40, 12\), expected \(4, 12\)"),
    "gates": ({"cell": "rnn"}, "layers.0.weight_ih_l0 has the shape"),
    "tied": ({"tied": True}, "tied is True, but the weights say otherwise"),
    "cutoffs": ({"softmax": "adaptive", "cutoffs": (30, 10)}, r"cutoffs \[30, 10\] do not rise"),
    "beyond": ({"softmax": "adaptive", "cutoffs": (10, 40)}, r"cutoffs \[10, 40\] do not rise"),
    "head": ({"softmax": "adaptive", "cutoffs": (10, 20)}, "softmax.head.weight has the shape None"),
}


@pytest.mark.parametrize(("changes", "reason"), WRONG.values(), ids=WRONG)
def test_parts_that_do_not_fit_are_refused(tmp_path, card, changes, reason):
    trained = dataclasses.replace(random_model(), **changes)
    with pytest.raises(ValueError, match=reason):
        export_language_model(tmp_path / "3", trained, card, GOLDEN)
    assert not (tmp_path / "3").exists()


def test_weights_without_layers_are_refused():
    trained = random_model()
    weights = {name: array for name, array in trained.weights.items() if not name.startswith("layers")}
    with pytest.raises(ValueError, match=r"no layers\.0"):
        dataclasses.replace(trained, weights=weights).check()
