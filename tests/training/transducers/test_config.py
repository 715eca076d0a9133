"""The configuration of an encoder-decoder refuses, by name, what no training could use."""

from pathlib import Path

import pytest

from seqserve.training.config import ConfigError
from seqserve.training.load_config import config_from, config_table, load_config
from seqserve.training.transducers.config import TransducerConfig
from tests.training.tiny_transducer import tiny_transducer_config

CONFIGS = Path(__file__).parents[3] / "training" / "configs"


def test_the_shipped_configuration_is_read():
    config = load_config(CONFIGS / "translate-en-fr.toml")
    assert isinstance(config, TransducerConfig)
    assert config.target.tokenization == "seqserve-fr-1"


def test_a_table_gives_the_configuration_again(tmp_path):
    config = tiny_transducer_config(tmp_path)
    assert config_from(config_table(config)) == config


WRONG = {
    "no data": ({"data": {"train": []}}, "data.train and data.valid need at least one file each"),
    "a column below 0": ({"data": {"train": [{"file": "a.tsv", "source_column": -1}]}}, "source_column = -1 of a.tsv"),
    "a part that is none": ({"data": {"valid": [{"file": "a.tsv", "part": [0.5, 0.5]}]}}, r"part = \[0.5, 0.5\] of a"),
    "attention": ({"model": {"attention": "dot"}}, "model.attention = 'dot' is none of 'general', 'none'"),
    "a cell": ({"model": {"cell": "transformer"}}, "model.cell = 'transformer' is none of"),
    "dropout": ({"model": {"dropout": {"output": 1.0}}}, r"model.dropout.output = 1.0 is not in \[0, 1\)"),
    "no units": ({"model": {"decoder": {"hidden_size": 0}}}, "model.decoder.hidden_size = 0 is below 1"),
    "no layers": ({"model": {"encoder": {"num_layers": 0}}}, "model.encoder.num_layers = 0 is below 1"),
    "a count": ({"source": {"min_count": 0}}, "source.min_count = 0 is below 1"),
    "no tokens": ({"target": {"max_tokens": 0}}, "target.max_tokens = 0 is below 1"),
    "a vocabulary of nothing": ({"target": {"max_vocabulary": 2}}, "target.max_vocabulary = 2 leaves no room"),
    "a step": ({"source": {"lookup": ["stem"]}}, "source.lookup = .'stem'. must hold"),
    "a tokeniser": ({"source": {"tokenization": "bpe"}}, "source.tokenization = 'bpe' is none of"),
    "samples alone": ({"loop": {"sampled_tokens": 5}}, "need each other"),
    "an optimiser": ({"optimizer": {"name": "nt-asgd"}}, "is for language models"),
    "no epochs": ({"loop": {"epochs": 0}}, "loop.epochs = 0 is below 1"),
    "an unknown key": ({"model": {"heads": 8}}, "unknown key model.heads"),
}


@pytest.mark.parametrize(("changes", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_used_is_refused(tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        tiny_transducer_config(tmp_path, **changes)
