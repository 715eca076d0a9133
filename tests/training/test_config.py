import json

import pytest

from seqserve.training.config import ConfigError
from seqserve.training.load_config import config_from, config_table, load_config
from tests.training.tiny import tiny_config


def test_a_configuration_survives_json():
    config = tiny_config()
    assert config_from(json.loads(json.dumps(config_table(config)))) == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loop": {"epochs": 0}}, "loop.epochs = 0 is below 1"),
        ({"loop": {"keep": "last", "patience": 2}}, 'loop.patience stops by dev and loop.keep = "last" does not look'),
        ({"loop": {"epochs": "3"}}, "loop.epochs = '3' must be of type int"),
        ({"loop": {"threads": True}}, "loop.threads = True must be of type int"),
        ({"loop": {"speed": 3}}, "unknown key loop.speed"),
        ({"model": {"cell": "transformer"}}, "model.cell = 'transformer' is none of 'rnn', 'rnn-relu'"),
        ({"model": {"dropout": {"input": 1.0}}}, "model.dropout.input = 1.0 is not in [0, 1)"),
        ({"model": {"characters": {"width": 4}}}, "model.characters.width = 4 is even"),
        ({"data": {"train": []}}, "data.train, data.dev and data.labels need at least one entry each"),
        ({"data": {"train": [{"path": "x"}]}}, "unknown key data.train[0].path"),
        ({"data": {"dev": [{}]}}, "missing key data.dev[0].file"),
        ({"data": {"dev": [{"file": "x", "weight": 0}]}}, "data.dev needs weights of 0 or more"),
        ({"augment": {"lower": -0.5}}, "augment.lower = -0.5"),
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
    with pytest.raises(ConfigError, match=r"missing\.toml: no such file"):
        load_config(tmp_path / "missing.toml")


def test_the_language_models_optimiser_is_refused_for_taggers():
    with pytest.raises(ConfigError, match="nt-asgd"):
        tiny_config(optimizer={"name": "nt-asgd"})
