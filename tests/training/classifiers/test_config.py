"""Configurations of classifiers: what is refused names its key."""

import pytest

from seqserve.training.config import ConfigError
from seqserve.training.load_config import config_from, config_table
from tests.training.tiny_classifier import tiny_classifier_config


def test_a_configuration_comes_back_from_its_table():
    config = tiny_classifier_config()
    assert config_from(config_table(config)) == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": {"labels": ["one"]}}, "data.labels = ['one'] must hold 2 or more labels"),
        ({"data": {"labels": ["one", "one"]}}, "data.labels[1] = 'one' is there twice"),
        ({"data": {"train": []}}, "data.train and data.dev need at least one file each"),
        ({"data": {"dev": [{"file": "x", "weight": 0.0}]}}, "data.dev needs weights of 0 or more"),
        ({"text": {"max_tokens": 0}}, "text.max_tokens = 0 is below 1"),
        ({"model": {"pooling": "sum"}}, "model.pooling = 'sum' is none of 'last', 'middle', 'mean', 'max'"),
        ({"model": {"feed_forward": [4, 0]}}, "model.feed_forward[1] = 0 is below 1"),
        ({"augment": {"lower": 1.0}}, "augment.lower = 1.0 is not in [0, 1)"),
        ({"loop": {"epochs": 0}}, "loop.epochs = 0 is below 1"),
        ({"task": "classification"}, "task = 'classification' is none of tag, language-model, classify"),
    ],
)
def test_a_wrong_value_is_named(change, message):
    with pytest.raises(ConfigError) as error:
        tiny_classifier_config(**change)
    assert message in str(error.value)
