import json

import pytest

from seqserve.training.config import ConfigError
from seqserve.training.corpora import CorporaError, data_path
from seqserve.training.load_config import config_from, config_table, load_config
from tests.training.tiny import tiny_config


def test_a_configuration_survives_json():
    config = tiny_config()
    assert config_from(json.loads(json.dumps(config_table(config)))) == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loop": {"epochs": 0}}, "loop.epochs = 0 is below 1"),
        ({"seed": -1}, "seed = -1 is not from 0 to 9223372036854775807"),
        ({"seed": 1 << 63}, "seed = 9223372036854775808 is not from 0"),
        ({"data": {"train": [{"file": "x", "map": {"per": "FOO"}}]}}, "map of x: FOO is none of data.labels"),
        (
            {"loop": {"keep": "last", "patience": 2}},
            "loop.patience stops by dev scores, which",
        ),
        ({"loop": {"epochs": "3"}}, "loop.epochs = '3' must be of type int"),
        ({"loop": {"threads": True}}, "loop.threads = True must be of type int"),
        ({"loop": {"speed": 3}}, "unknown key loop.speed"),
        ({"model": {"cell": "transformer"}}, "model.cell = 'transformer' is none of 'rnn', 'rnn-relu'"),
        ({"model": {"dropout": {"input": 1.0}}}, "model.dropout.input = 1.0 is not in [0, 1)"),
        ({"model": {"characters": {"width": 4}}}, "model.characters.width = 4 is even"),
        ({"data": {"train": []}}, "data.train and data.dev need at least one file each"),
        ({"data": {"labels": []}}, "data.labels = [] must hold 1 or more labels"),
        ({"data": {"labels": ["PER", "LOC", "PER"]}}, "data.labels[2] = 'PER' is there twice"),
        ({"data": {"labels": ["PER", ""]}}, "data.labels[1] = '' must be printable"),
        ({"data": {"labels": ["PER\n"]}}, "data.labels[0] = 'PER\\n' must be printable"),
        ({"data": {"train": [{"path": "x"}]}}, "unknown key data.train[0].path"),
        ({"data": {"dev": [{}]}}, "missing key data.dev[0].file"),
        ({"data": {"dev": [{"file": "x", "weight": 0}]}}, "data.dev needs weights of 0 or more"),
        ({"augment": {"lower": -0.5}}, "augment.lower = -0.5"),
        ({"optimizer": {"learning_rate": -1.0}}, "optimizer.learning_rate = -1.0 is below 0"),
        ({"optimizer": {"beta2": 1.0}}, "optimizer.beta2 = 1.0 is not in [0, 1)"),
        ({"model": {"words": {"trained_dim": -1}}}, "model.words.trained_dim = -1 is below 0"),
        ({"model": {"characters": {"size": 0}}}, "model.characters.size = 0 is below 1"),
        ({"data": {"train": [{"file": "x", "repeat": 0}]}}, "repeat = 0 of x is below 1"),
    ],
)
def test_a_wrong_value_is_named(change, message):
    with pytest.raises(ConfigError) as error:
        tiny_config(**change)
    assert message in str(error.value)


def test_a_file_is_named_in_its_errors(tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text("name = ")
    with pytest.raises(ConfigError, match=r"bad\.toml: not TOML"):
        load_config(bad)
    with pytest.raises(ConfigError, match=r"missing\.toml: there is no such file"):
        load_config(tmp_path / "missing.toml")


def test_a_byte_order_mark_is_no_part_of_a_configuration(tmp_path):
    path = tmp_path / "marked.toml"
    path.write_text("\ufeffname = ", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"not TOML: Invalid value \(at end of document\)"):
        load_config(path)


def test_a_configuration_in_utf_16_is_named(tmp_path):
    (tmp_path / "wide.toml").write_text('name = "x"', encoding="utf-16")
    with pytest.raises(ConfigError, match=r"wide\.toml: is UTF-16; save it as UTF-8"):
        load_config(tmp_path / "wide.toml")


def test_the_language_models_optimiser_is_refused_for_taggers():
    with pytest.raises(ConfigError, match="nt-asgd"):
        tiny_config(optimizer={"name": "nt-asgd"})


@pytest.mark.parametrize("key", ["name", "version"])
@pytest.mark.parametrize("value", ["Bad Name", "foo/../../bar", "..", ".hidden", "", "x" * 101, "ä"])
def test_what_cannot_be_a_bundles_folder_is_refused_before_any_training(key, value):
    with pytest.raises(ConfigError, match=rf"\A{key} = .* must be 1 to 100 letters"):
        tiny_config(**{key: value})


OWN = """
name = "own"
version = "1"
description = "own files"
licence = "MIT"
[data]
labels = ["PER"]
train = [{ file = "train.conll" }, { file = "../else/more.conll" }, { file = "uner_ewt/train.conll.gz" }]
dev = [{ file = "./names/dev.conll" }]
[model.words]
vectors = ["vectors.txt", "package:en_vectors", "spacy_md_vectors"]
"""


def test_own_files_are_named_from_the_folder_of_the_toml(tmp_path, monkeypatch):
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "own.toml").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    config = load_config("configs/own.toml")
    assert [corpus.file for corpus in config.data.train] == [
        str(folder / "train.conll"),
        str(tmp_path / "else" / "more.conll"),
        "uner_ewt/train.conll.gz",  # a known data set lies below the data folder
    ]
    assert config.data.dev[0].file == str(folder / "names" / "dev.conll")  # "names/..." would be the known data set
    assert config.model.words.vectors == (str(folder / "vectors.txt"), "package:en_vectors", "spacy_md_vectors")


def test_what_a_run_has_resolved_means_the_same_in_another_folder(tmp_path, monkeypatch):
    (tmp_path / "own.toml").write_text(OWN)
    config = load_config(tmp_path / "own.toml")
    monkeypatch.chdir("/")
    assert config_from(json.loads(json.dumps(config_table(config)))) == config


def test_a_missing_file_is_named_with_where_it_was_looked_for(tmp_path):
    with pytest.raises(CorporaError, match=r"absent\.conll: .* own files are relative to the configuration"):
        data_path(str(tmp_path / "absent.conll"))
