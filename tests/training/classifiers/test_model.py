"""Classifiers: pooling against its definition, rows that stand alone, and trainings that learn and resume."""

import pytest
import torch

from seqserve.training.checkpoints import load_tensors
from seqserve.training.classifiers.model import pool
from seqserve.training.classifiers.task import ClassifierTask
from seqserve.training.config import ConfigError
from seqserve.training.export.cells.table import CELLS
from seqserve.training.loop import Training
from seqserve.training.reading.lines import TextError
from seqserve.training.runs import fit, resume
from tests.training.tiny_classifier import tiny_classifier_config

LENGTHS = torch.tensor([3, 5, 1, 4])


@pytest.mark.parametrize("pooling", ["last", "middle", "mean", "max"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
def test_pooling_is_its_definition_on_the_row_alone(pooling, bidirectional):
    torch.manual_seed(0)
    states = torch.randn(4, 5, 4)
    pooled = pool(states, LENGTHS, pooling, bidirectional=bidirectional)
    for row, length in enumerate(LENGTHS):
        real = states[row, :length]
        if pooling == "mean":
            expected = real.mean(0)
        elif pooling == "max":
            expected = real.max(0).values
        elif pooling == "middle":
            left, right = [(1, 1), (2, 2), (0, 0), (1, 2)][row]
            expected = torch.cat([real[left, :2], real[right, 2:]]) if bidirectional else real[left]
        else:
            expected = torch.cat([real[-1, :2], real[0, 2:]]) if bidirectional else real[-1]
        torch.testing.assert_close(pooled[row], expected)


@pytest.mark.parametrize("pooling", ["last", "middle", "mean", "max"])
@pytest.mark.parametrize("cell", CELLS)
def test_padding_does_not_change_a_text(cell, pooling):
    task = ClassifierTask(tiny_classifier_config(model={"cell": cell, "pooling": pooling, "feed_forward": [5]}))
    model = task.model.eval()
    rows = [example.surfaces for example in task.train]
    together = model(*task.surfaces.pad(rows))
    for row, logits in zip(rows, together, strict=True):
        torch.testing.assert_close(model(*task.surfaces.pad([row]))[0], logits)


def test_learns_twenty_texts(tmp_path):
    config = tiny_classifier_config(loop={"epochs": 25}, model={"dropout": {"input": 0.0, "output": 0.0}})
    training = Training(config, tmp_path, ClassifierTask)
    training.run()
    assert training.position.best_score == 1.0
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_one_token_is_one_to_one(tmp_path):
    """T = 1: the same code is a plain network over one input."""
    words = tmp_path / "words.tsv"
    words.write_text("Rex\tdinosaur\nUna\tname\nTyrannosaurus\tdinosaur\nEva\tname\n", encoding="utf-8")
    data = {"labels": ["name", "dinosaur"], "train": [{"file": str(words)}], "dev": [{"file": str(words)}]}
    config = tiny_classifier_config(data=data, text={"max_tokens": 1}, loop={"epochs": 30})
    task = ClassifierTask(config)
    assert {len(example) for example in task.train} == {1}
    training = Training(config, tmp_path, lambda _: task)
    training.run()
    assert training.position.best_score == 1.0


def test_stopped_within_an_epoch_resumes_to_the_same_weights(tmp_path, monkeypatch):
    config = tiny_classifier_config(loop={"checkpoint_every_s": 0.0}, augment={"lower": 0.5})
    fit(config, tmp_path / "whole")

    def stop_in_second_epoch(self, examples, steps_per_epoch, step=Training._step):
        if self.position.epoch == 1 and self.position.step == 3:
            raise KeyboardInterrupt
        step(self, examples, steps_per_epoch)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "_step", stop_in_second_epoch)
        with pytest.raises(KeyboardInterrupt):
            fit(config, tmp_path / "stopped")
    resume(tmp_path / "stopped")
    whole, stopped = (load_tensors(tmp_path / name / "checkpoint.pt")["model"] for name in ("whole", "stopped"))
    assert all(torch.equal(weight, stopped[name]) for name, weight in whole.items())


def test_a_label_that_no_training_file_holds_is_named():
    message = "data.labels: order never occurs in the training files, which hold question, statement; `map`"
    with pytest.raises(ConfigError, match=message):
        ClassifierTask(tiny_classifier_config(data={"labels": ["statement", "question", "order"]}))


def test_a_file_without_texts_is_refused(tmp_path):
    (tmp_path / "empty.tsv").write_text("\n".replace("\n", " \tquestion\n"), encoding="utf-8")
    data = {"train": [{"file": str(tmp_path / "empty.tsv")}]}
    with pytest.raises(TextError, match="no text has one of the labels statement, question"):
        ClassifierTask(tiny_classifier_config(data=data))
