"""`export` turns a run folder into a bundle, whatever the run's task."""

import json

import pytest
import torch
from msgspec import UNSET

from seqserve.language.model import LanguageModelBundle
from seqserve.loading import load_bundle
from seqserve.training.checkpoints import RunError
from seqserve.training.config import ConfigError
from seqserve.training.export.cells.table import CELLS
from seqserve.training.export_run import export_run
from seqserve.training.language.export import GOLDEN
from seqserve.training.runs import fit
from tests.training.export.language_models import random_model
from tests.training.tiny import FIXTURES, tiny_config
from tests.training.tiny_language import tiny_language_config

TABLE = {
    "task": "language-model",
    "name": "tiny-words",
    "version": "2",
    "description": "Random words",
    "licence": "MIT",
    "attribution": ["somebody"],
    "languages": ["xx"],
    "text": {"level": "word", "tokenization": "whitespace", "lookup": ["exact", "lower"]},
    "model": {
        "cell": "gru-cudnn",
        "embedding_dim": 12,
        "hidden_size": 9,
        "num_layers": 2,
        "softmax": "adaptive",
        "cutoffs": [10, 30],
    },
}
LINE = {"epoch": 3, "tokens": 12_000, "loss": 2.5, "valid_loss": 3.0}


@pytest.fixture
def language_run(tmp_path):
    """A run folder as training leaves it."""
    folder = tmp_path / "run"
    folder.mkdir()
    text = tmp_path / "own.txt"
    text.write_text("word3 word4\n")
    files = [{"file": str(text)}]
    (folder / "config.json").write_text(json.dumps({**TABLE, "data": {"train": files, "valid": files}}))
    lines = [{**LINE, "epoch": 1, "valid_loss": 4.0}, LINE]
    (folder / "epochs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "curves.png").write_bytes(b"a picture")
    trained = random_model(num_ids=70, cutoffs=(10, 30), cell="gru-cudnn")
    weights = {name: torch.from_numpy(array) for name, array in trained.weights.items()}
    torch.save({"weights": weights, "tokens": list(trained.tokens), "epoch": 3}, folder / "model.pt")
    return folder


def test_a_language_models_run_becomes_its_bundle(language_run, tmp_path):
    folder = export_run(language_run, tmp_path / "models", card=None)
    assert folder == tmp_path / "models" / "tiny-words" / "2"
    manifest = load_bundle(folder, LanguageModelBundle).manifest
    assert (manifest.architecture.cell, manifest.architecture.cutoffs) == ("gru-cudnn", [10, 30])
    assert manifest.tokenization.lookup == ["exact", "lower"]
    assert manifest.metrics == {"valid": {"perplexity": 20.09}}
    assert [(source.name, source.use) for source in manifest.data] == [
        ("own", "training"),
        ("own", "choosing the epoch"),
    ]
    assert (manifest.licence, manifest.attribution, manifest.languages) == ("MIT", ["somebody"], ["xx"])
    assert [path.name for path in folder.parent.iterdir()] == ["2"]


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_goes_from_a_configuration_to_a_bundle(tmp_path, cell):
    config = tiny_language_config(tmp_path, model={"cell": cell, "num_layers": 2})
    fit(config, tmp_path / "run")
    folder = export_run(tmp_path / "run", tmp_path / "models", card=None)
    bundle = load_bundle(folder, LanguageModelBundle)  # golden answers are right, and a row alone is the row in a batch
    assert (bundle.manifest.architecture.cell, bundle.manifest.reproducible) == (cell, True)


def test_a_card_is_written_from_the_run_or_taken(language_run, tmp_path):
    models = tmp_path / "models"
    card = (export_run(language_run, models, card=None) / "README.md").read_text()
    assert "# tiny-words 2" in card
    assert "epoch 3, 12,000 tokens seen" in card
    assert "| perplexity | 20.09 |" in card
    (tmp_path / "own.md").write_text("# my own\n")
    folder = export_run(language_run, models, card=tmp_path / "own.md", replace=True)
    assert (folder / "README.md").read_text() == "# my own\n"


def test_golden_texts_hold_words_of_the_model(language_run, tmp_path):
    golden = json.loads((export_run(language_run, tmp_path, card=None) / "golden.json").read_text())
    assert golden["rows"][len(GOLDEN)]["ids"] == list(range(2, 42))


def test_a_bundle_that_is_there_is_replaced_only_when_asked(language_run, tmp_path):
    folder = export_run(language_run, tmp_path / "models", card=None)
    with pytest.raises(RunError, match="is there already"):
        export_run(language_run, tmp_path / "models", card=None)
    (folder / "mine").write_text("x")
    export_run(language_run, tmp_path / "models", card=None, replace=True)
    assert not (folder / "mine").exists()


def test_weights_of_an_epoch_without_a_line_are_refused(language_run, tmp_path):
    (language_run / "epochs.jsonl").write_text(json.dumps({**LINE, "epoch": 1}) + "\n")
    with pytest.raises(RunError, match=r"epochs\.jsonl: no line of epoch 3"):
        export_run(language_run, tmp_path / "models", card=None)


def test_what_may_not_be_given_away_says_so(language_run, tmp_path, capsys):
    config = json.loads((language_run / "config.json").read_text())
    config["data"]["train"] = [{"file": "ptb/ptb.train.txt.gz"}, {"file": "gmb/train.conll.gz", "format": "conll"}]
    (language_run / "config.json").write_text(json.dumps(config))
    export_run(language_run, tmp_path / "models", card=None)
    assert "for measuring only; it must not be published, because of ptb\n" in capsys.readouterr().err


def test_own_files_are_named_also_when_they_have_moved(language_run, tmp_path):
    (tmp_path / "own.txt").unlink()
    manifest = load_bundle(export_run(language_run, tmp_path / "models", card=None), LanguageModelBundle).manifest
    assert [(source.name, source.sha256) for source in manifest.data] == [("own", {}), ("own", {})]
    assert manifest.texts is UNSET


def test_a_model_of_words_learns_from_the_valid_text_how_many_it_does_not_know(language_run, tmp_path):
    (tmp_path / "own.txt").write_text("the cat zebra\nthe dog ibex Ibex\n")
    manifest = load_bundle(export_run(language_run, tmp_path / "models", card=None), LanguageModelBundle).manifest
    assert manifest.texts.lookup == ["plain", "exact", "lower", "capital"]
    assert manifest.texts.num_unknown_types >= 3


def test_the_version_is_chosen_at_export(language_run, tmp_path):
    folder = export_run(language_run, tmp_path / "models", card=None, version="12")
    assert folder == tmp_path / "models" / "tiny-words" / "12"
    assert load_bundle(folder).manifest.version == "12"
    assert "# tiny-words 12\n" in (folder / "README.md").read_text()


def test_a_version_that_is_none_is_refused(language_run, tmp_path):
    with pytest.raises(ConfigError, match=r"version = '\.\./3' must be"):
        export_run(language_run, tmp_path / "models", card=None, version="../3")
    assert not (tmp_path / "models").exists()


def test_an_export_made_again_has_the_same_bytes(language_run, tmp_path):
    first, again = (export_run(language_run, tmp_path / name, card=None) for name in ("first", "again"))
    assert {path.name: path.read_bytes() for path in first.iterdir()} == {
        path.name: path.read_bytes() for path in again.iterdir()
    }


def test_paths_of_own_files_stay_on_this_machine(language_run, tmp_path):
    folder = export_run(language_run, tmp_path / "models", card=None)
    assert str(tmp_path) not in (folder / "manifest.json").read_text()


def test_a_damaged_history_is_named(language_run, tmp_path):
    (language_run / "epochs.jsonl").write_text('{"epoch": ')
    with pytest.raises(RunError, match=r"epochs\.jsonl: does not fit"):
        export_run(language_run, tmp_path / "models", card=None)


def test_a_tagger_is_calibrated_on_its_dev_files_while_they_are_there(tmp_path, capsys):
    dev = tmp_path / "dev.conll"
    dev.write_bytes((FIXTURES / "twenty.conll").read_bytes())
    fit(tiny_config(data={"dev": [{"file": str(dev)}]}), tmp_path / "run")
    calibrated = load_bundle(export_run(tmp_path / "run", tmp_path / "models", card=None))
    assert calibrated.manifest.calibration.data == ["dev.conll"]
    assert "Precision and recall by min_score" in (tmp_path / "models" / "tiny" / "1" / "README.md").read_text()
    dev.unlink()
    capsys.readouterr()
    plain = load_bundle(export_run(tmp_path / "run", tmp_path / "models", card=None, version="2"))
    assert plain.manifest.calibration is UNSET
    assert "dev.conll" in (said := capsys.readouterr().err)
    assert "the bundle's scores are not calibrated" in said
    sentences = [["Teddy", "Roosevelt", "spoke", "."]]
    assert [answer.tags for answer in calibrated.tag(sentences)] == [answer.tags for answer in plain.tag(sentences)]
