"""Taggers and classifiers that begin where a bundle or a run ended."""

import json
import shutil

import numpy as np
import pytest
import torch

from seqserve.loading import load_bundle
from seqserve.tagger.tags import make_tags
from seqserve.training.__main__ import main
from seqserve.training.checkpoints import RunError, load_tensors
from seqserve.training.classifiers.task import ClassifierTask
from seqserve.training.config import ConfigError
from seqserve.training.export_run import export_run
from seqserve.training.load_config import config_from, config_table
from seqserve.training.loop import Training
from seqserve.training.runs import fit, resume
from seqserve.training.taggers.task import TaggerTask
from seqserve.training.warm_start import completed
from tests.training.test_main import as_toml
from tests.training.tiny import FIXTURES, tiny_config
from tests.training.tiny_classifier import tiny_classifier_config
from tests.training.tiny_language import tiny_language_config

TWENTY = str(FIXTURES / "twenty.conll")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run that has learned something, and its bundle."""
    folder = tmp_path_factory.mktemp("trained")
    torch.set_num_threads(1)
    still = {"dropout": {"input": 0.0, "hidden": 0.0, "output": 0.0}}
    fit(tiny_config(attribution=["somebody"], model=still, loop={"epochs": 20}), folder / "run")
    return folder / "run", export_run(folder / "run", folder / "models", card=None)


@pytest.fixture(scope="module")
def trained_classifier(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifier")
    torch.set_num_threads(1)
    fit(tiny_classifier_config(model={"feed_forward": [6]}, loop={"epochs": 8}), folder / "run")
    return folder / "run", export_run(folder / "run", folder / "models", card=None)


def table_of(config, where, **changes):
    """The table of a configuration that says nothing about the model but where it comes from."""
    table = json.loads(json.dumps(config_table(config)))
    del table["model"], table["optimizer"]
    table["loop"] = {"epochs": 2, "batch_size": 4, "start_from": str(where)}
    for key, value in changes.items():
        table[key] = {**table.get(key, {}), **value} if isinstance(value, dict) else value
    return table


def started(where, **changes):
    return config_from(completed(table_of(tiny_config(), where, **changes)))


def best_score(run):
    return max(json.loads(line)["dev_score"] for line in (run / "epochs.jsonl").read_text().splitlines())


@torch.no_grad()
def first_score(task):
    task.model.eval()
    (found,) = task.evaluate().values()
    return found.score


@pytest.mark.parametrize("place", [0, 1], ids=["run", "bundle"])
def test_a_tagger_begins_where_the_other_ended(trained, place):
    task = TaggerTask(started(trained[place]))
    assert first_score(task) == pytest.approx(best_score(trained[0]))
    assert first_score(task) > 0.5
    assert task.notes[-1].endswith(
        "knows 3 of 3 labels: PER, ORG, LOC; 0 of 87 different tokens of the training files stay <UNK>"
    )


@pytest.mark.parametrize("place", [0, 1], ids=["run", "bundle"])
def test_a_classifier_begins_where_the_other_ended(trained_classifier, place):
    config = config_from(completed(table_of(tiny_classifier_config(), trained_classifier[place])))
    assert config.model.feed_forward == (6,)
    assert first_score(ClassifierTask(config)) == pytest.approx(best_score(trained_classifier[0]))


def test_rows_go_by_the_name_of_the_tag_and_new_labels_begin_anew(trained):
    corpus = {"file": TWENTY, "map": {"LOC": "PLACE", "PER": "PER"}}
    data = {"labels": ["PLACE", "PER"], "train": [corpus], "dev": [corpus]}
    task = TaggerTask(started(trained[1], data=data))
    fresh = TaggerTask(tiny_config(data=data))
    weights = load_tensors(trained[0] / "model.pt")["weights"]
    before, tags = make_tags(["PER", "ORG", "LOC"], "BIOES"), list(task.tags)
    own, theirs = tags.index("B-PER"), before.index("B-PER")
    following, theirs_after = tags.index("E-PER"), before.index("E-PER")
    model = task.model
    torch.testing.assert_close(model.emission.weight[own], weights["emission.weight"][theirs])
    torch.testing.assert_close(model.emission.bias[0], weights["emission.bias"][0])
    torch.testing.assert_close(model.crf.transitions[own, following], weights["crf.transitions"][theirs, theirs_after])
    new = tags.index("B-PLACE")
    assert not np.isin(model.emission.weight[new].detach().numpy(), weights["emission.weight"].numpy()).any()
    assert model.emission.weight.shape == fresh.model.emission.weight.shape
    assert "knows 1 of 2 labels: PER; " in task.notes[-1]


def test_words_that_the_bundle_does_not_know_stay_unknown(trained, tmp_path):
    (tmp_path / "own.conll").write_text("Zebra\tB-PER\n.\tO\n")
    own = {"file": str(tmp_path / "own.conll")}
    task = TaggerTask(started(trained[1], data={"labels": ["PER"], "train": [own], "dev": [own]}))
    assert task.notes[-1].endswith("1 of 2 different tokens of the training files stay <UNK>")
    assert len(task.features.forms) == len(load_bundle(trained[1]).words) - 2


def test_what_is_left_out_comes_from_the_start(trained):
    config = started(trained[1], model={"dropout": {"input": 0.2}})
    assert (config.model.hidden_size, config.model.num_layers, config.model.characters.size) == (12, 1, 8)
    assert (config.model.words.vectors, config.model.words.trained_dim) == ((), 8)
    assert config.model.dropout.input == 0.2
    assert config.loop.start_from == str(trained[1])


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"hidden_size": 13}, "model.hidden_size = 13 does not fit"),
        ({"cell": "gru"}, "model.cell = 'gru' does not fit"),
        ({"scheme": "BIO"}, "model.scheme = 'BIO' does not fit"),
        ({"characters": {"size": 9}}, "model.characters.size = 9 does not fit"),
        ({"words": {"vectors": ["x"]}}, r"model.words.vectors = \('x',\) does not fit"),
    ],
)
def test_another_model_is_refused(trained, model, message):
    with pytest.raises(
        ConfigError, match=message + r" \S+models/tiny/1, where it is [^\n]+; leave it out to take that\Z"
    ):
        TaggerTask(started(trained[1], model=model))


def test_another_kind_of_start_is_refused(trained, trained_classifier, tmp_path):
    fit(tiny_language_config(tmp_path), tmp_path / "lm")
    for where, message in (
        (trained_classifier[1], "is for task = 'classify', not 'tag'"),
        (tmp_path / "lm", "is for task = 'language-model'; what is started from is a tagger or a classifier"),
        (tmp_path, "is no bundle"),
        ("no-such-model", "There is no model 'no-such-model'"),
    ):
        with pytest.raises(ConfigError, match=message):
            TaggerTask(config_from(completed(table_of(tiny_config(), where, model={}))))


def test_it_goes_on_after_an_interruption_and_becomes_a_bundle(trained, tmp_path, monkeypatch):
    config = started(trained[1], loop={"checkpoint_every_s": 0.0})
    fit(config, tmp_path / "whole")

    def stop(self, examples, steps_per_epoch, step=Training._step):
        if self.position.epoch == 1 and self.position.step == 2:
            raise KeyboardInterrupt
        step(self, examples, steps_per_epoch)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "_step", stop)
        with pytest.raises(KeyboardInterrupt):
            fit(config, tmp_path / "stopped")
    resume(tmp_path / "stopped")
    whole, stopped = (load_tensors(tmp_path / name / "checkpoint.pt")["model"] for name in ("whole", "stopped"))
    assert all(torch.equal(weight, stopped[name]) for name, weight in whole.items())
    manifest = load_bundle(export_run(tmp_path / "stopped", tmp_path / "models", card=None)).manifest
    assert {source.use for source in manifest.data if source.name == "vectors"} == {"training of tiny 1"}
    assert manifest.attribution == ["somebody"]


def test_it_does_not_go_on_from_another_bundle(trained, tmp_path):
    shutil.copytree(trained[1], tmp_path / "models" / "tiny" / "1")
    fit(started(tmp_path / "models" / "tiny"), tmp_path / "run")
    manifest = tmp_path / "models" / "tiny" / "1" / "manifest.json"
    manifest.write_text(manifest.read_text() + "\n")
    with pytest.raises(RunError, match=r"manifest\.json: has changed since the run"):
        resume(tmp_path / "run")


def test_a_bundle_is_found_by_its_name(trained, tmp_path, monkeypatch):
    monkeypatch.setenv("SEQSERVE_MODELS", str(trained[1].parents[1]))
    config = tmp_path / "own.toml"
    config.write_text(as_toml(table_of(tiny_config(), "tiny", loop={"epochs": 1})))
    assert main(["fit", str(config), "--run", str(tmp_path / "run")]) == 0
    assert json.loads((tmp_path / "run" / "config.json").read_text())["loop"]["start_from"] == str(trained[1])
    assert main(["fit", str(config), "--run", str(tmp_path / "other"), "--set", "model.hidden_size=5"]) == 1
    assert not (tmp_path / "other").exists()
