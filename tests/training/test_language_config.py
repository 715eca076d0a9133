from pathlib import Path

import pytest

from tests.training.tiny_language import tiny_language_config
from training.config import ConfigError, config_from, config_table, load_config
from training.corpora import find_corpus
from training.language_config import LanguageConfig

CONFIGS = sorted(Path(__file__).parent.parent.parent.glob("training/configs/lm-*.toml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_configurations_are_whole(path):
    config = load_config(path)
    assert isinstance(config, LanguageConfig)
    assert config.name == path.stem
    assert config_from(config_table(config)) == config
    for file in (*config.data.train, *config.data.valid):
        corpus = find_corpus(file.file.split("/")[0])
        assert file.file in {each.path for each in corpus.files}
        # What may not be given away says so where a reader looks first.
        assert corpus.ship or corpus.ship_text or "benchmark only" in config.description


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": {"dropout": {"input": 1.0}}}, r"model.dropout.input = 1.0 is not in \[0, 1\)"),
        ({"loop": {"bptt_length": 0}}, "loop.bptt_length = 0 is below 1"),
        ({"text": {"level": "character"}}, "tokenization = 'whitespace' does not fit text.level = 'character'"),
        ({"text": {"unit": "line", "ends_sentences": False}}, 'needs text.unit = "stream"'),
        ({"model": {"softmax": "adaptive"}}, "model.cutoffs are needed"),
        ({"model": {"cutoffs": [3]}}, "model.cutoffs are needed"),
        ({"model": {"softmax": "adaptive", "cutoffs": [9, 3]}}, r"cutoffs = \[9, 3\] do not rise"),
        ({"model": {"softmax": "adaptive", "cutoffs": [3], "tied": True}}, "model.tied = true needs"),
        ({"model": {"tied": True, "projection_dim": 5}}, "projection_dim = 5 cannot be tied"),
        ({"loop": {"sampled_tokens": 5}}, "exact_tokens above 0"),
        ({"data": {"train": []}}, "at least one file each"),
        ({"text": {"sentences": True}}, "unknown key text.sentences"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        tiny_language_config(tmp_path, **changes)


def test_a_part_outside_the_text_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no range within 0 to 1"):
        tiny_language_config(tmp_path, data={"valid": [{"file": "x", "part": [0.5, 0.5]}]})
