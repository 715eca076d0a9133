"""The configurations in training/configs: whole, named as their files, and of known data."""

from pathlib import Path

import pytest

from seqserve.training.corpora import find_corpus
from seqserve.training.export_sources import unshippable
from seqserve.training.gradients.config import GradientsConfig
from seqserve.training.kinds import CONFIGS, kind_of
from seqserve.training.load_config import config_from, config_table, load_config

FILES = sorted(Path(__file__).parent.parent.parent.glob("training/configs/*.toml"))


def test_every_kind_has_one():
    assert {type(load_config(path)) for path in FILES} == set(CONFIGS.values())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_whole_and_says_when_its_weights_may_not_be_given_away(path, monkeypatch):
    config = load_config(path)
    assert config.name == path.stem
    assert config_from(config_table(config)) == config
    if isinstance(config, GradientsConfig):
        return
    if config.task == "language-model" and config.loop.start_from:
        earlier = load_config(path.with_name(f"{Path(config.loop.start_from).name.rpartition('-')[0]}.toml"))
        monkeypatch.setattr("seqserve.training.language.export.read_run_config", lambda folder: earlier)
    files = kind_of(config).part("export").sources(config)["training"]
    for file in files:
        if Path(file).is_absolute():
            assert Path(file).is_relative_to(path.parents[1] / "data")
            assert Path(file).is_file()
        elif not file.startswith("package:"):
            corpus = find_corpus(file.split("/")[0])
            assert file in {corpus.name, *(each.path for each in corpus.files)}
    assert bool(unshippable(config, files)) == ("benchmark only" in config.description)
