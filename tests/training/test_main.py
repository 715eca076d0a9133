"""The commands, one after the other, as a user gives them."""

import json
import tomllib

import pytest

from seqserve.loading import load_bundle
from seqserve.training.__main__ import main
from seqserve.training.load_config import config_table
from tests.training.tiny import FIXTURES, tiny_config

NO_DROPOUT = {"dropout": {"input": 0.0, "hidden": 0.0, "output": 0.0, "word": 0.0, "unknown": 0.0}}
TWENTY = str(FIXTURES / "twenty.conll")


def as_toml(table, name=""):
    """TOML of nested tables, enough for a configuration."""
    plain = {key: value for key, value in table.items() if not isinstance(value, dict) and value is not None}
    lines = [f"[{name}]"] * bool(name) + [f"{key} = {as_value(value)}" for key, value in plain.items()]
    for key, value in table.items():
        if isinstance(value, dict):
            lines.append(as_toml(value, f"{name}.{key}".lstrip(".")))
    return "\n".join(lines)


def as_value(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {as_value(v)}" for k, v in value.items() if v is not None) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(as_value, value)) + "]"
    return json.dumps(value)


@pytest.mark.parametrize(
    "model",
    [
        {"scheme": "BIOES"},
        {"scheme": "BIO", "characters": {"kind": "lstm", "min_count": 1}, "num_layers": 2, "hidden_size": 24},
        {"characters": {"kind": "none"}, "words": {"trained_dim": 8, "min_count": 1}},
        {"cell": "gru", "bidirectional": False, "feed_forward": [8]},
        {"cell": "lstm-peephole"},
    ],
    ids=["char-cnn", "char-lstm-bio-2-layers", "words-only", "gru-forward", "peephole"],
)
def test_fit_export_evaluate(tmp_path, capsys, model):
    config = tmp_path / "tiny.toml"
    table = json.loads(json.dumps(config_table(tiny_config(model=model | NO_DROPOUT, loop={"epochs": 15}))))
    config.write_text(as_toml(table))
    assert tomllib.loads(config.read_text())["model"]["scheme"] == model.get("scheme", "BIOES")
    run, models = tmp_path / "run", tmp_path / "models"

    assert main(["fit", str(config), "--run", str(run), "--seed", "7"]) == 0
    assert main(["resume", str(run)]) == 0  # a finished run stays as it is
    assert main(["export", str(run), "--to", str(models)]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(models / "tiny"), TWENTY, "--json"]) == 0

    scores = json.loads(capsys.readouterr().out)
    best = max(json.loads(line)["dev_score"] for line in (run / "epochs.jsonl").read_text().splitlines())
    assert scores["f1"] == pytest.approx(best)  # ONNX Runtime finds the spans that torch found
    assert best > 0
    assert json.loads((run / "config.json").read_text())["seed"] == 7
    manifest = load_bundle(models / "tiny" / "1").manifest
    assert (manifest.licence, manifest.reproducible) == ("MIT", True)
    assert {source.use for source in manifest.data if source.name == "twenty"} == {"training", "choosing the epoch"}


def test_a_bundle_is_not_overwritten_unasked(tmp_path, capsys):
    config = tmp_path / "tiny.toml"
    config.write_text(as_toml(json.loads(json.dumps(config_table(tiny_config(loop={"epochs": 1}))))))
    assert main(["fit", str(config), "--run", str(tmp_path / "run")]) == 0
    export = ["export", str(tmp_path / "run"), "--to", str(tmp_path / "models")]
    assert main(export) == 0
    assert main(export) == 1
    assert "is there already" in capsys.readouterr().err
    assert main([*export, "--replace"]) == 0
    assert main([*export, "--version", "2"]) == 0
    assert load_bundle(tmp_path / "models" / "tiny" / "2").manifest.version == "2"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "missing.toml"], "missing.toml: there is no such file"),
        (["resume", "nowhere"], "nowhere: there is no config.json in it"),
        (["export", "nowhere"], "nowhere: there is no config.json in it"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments, message, capsys):
    assert main(arguments) == 1
    assert message in capsys.readouterr().err


def test_set_takes_the_place_of_keys(tmp_path):
    config = tmp_path / "tiny.toml"
    config.write_text(as_toml(json.loads(json.dumps(config_table(tiny_config())))))
    changes = ["--set", "model.cell=rnn", "--set", "loop.epochs=1", "--set", 'name="other"', "--seed", "7"]
    assert main(["fit", str(config), "--run", str(tmp_path / "run"), *changes]) == 0
    resolved = json.loads((tmp_path / "run" / "config.json").read_text())
    found = resolved["model"]["cell"], resolved["loop"]["epochs"], resolved["name"], resolved["seed"]
    assert found == ("rnn", 1, "other", 7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("loop.epochs", "--set loop.epochs: is not of the form KEY=VALUE"),
        ("=3", "--set =3: is not of the form KEY=VALUE"),
        ("name.first=3", "--set name.first=3: name is not a table"),
        ("loop.speed=3", "unknown key loop.speed"),
        ("model.cell=transformer", "with model.cell=transformer: model.cell = 'transformer' is none of"),
        ("seed=-1", "with seed=-1: seed = -1 is not from 0 to 9223372036854775807"),
    ],
)
def test_a_change_that_cannot_be_made_is_one_sentence(tmp_path, capsys, change, message):
    config = tmp_path / "tiny.toml"
    config.write_text(as_toml(json.loads(json.dumps(config_table(tiny_config())))))
    assert main(["fit", str(config), "--run", str(tmp_path / "run"), "--set", change]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.fixture
def tiny_toml(tmp_path):
    config = tmp_path / "tiny.toml"
    config.write_text(as_toml(json.loads(json.dumps(config_table(tiny_config(loop={"epochs": 1}))))))
    return config


def test_a_wrong_value_in_the_file_is_no_wrong_use(tiny_toml, tmp_path, capsys):
    tiny_toml.write_text(tiny_toml.read_text().replace("seed = 1", "seed = -1"))
    assert main(["fit", str(tiny_toml), "--run", str(tmp_path / "run"), "--set", "model.cell=rnn"]) == 1
    assert "tiny.toml: seed = -1 is not from 0" in capsys.readouterr().err


def test_a_run_is_no_file(tiny_toml, capsys):
    assert main(["fit", str(tiny_toml), "--run", str(tiny_toml)]) == 2
    assert capsys.readouterr().err == f"seqserve: {tiny_toml}: is a file; a run needs a folder\n"


def test_a_version_that_cannot_be_a_folder_is_wrong_use(tmp_path, capsys):
    assert main(["export", str(tmp_path), "--version", "../9"]) == 2
    assert "--version = '../9' must be 1 to 100 letters" in capsys.readouterr().err
