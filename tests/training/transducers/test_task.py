"""Training an encoder-decoder by the common loop: it learns, resumes exactly, and becomes a bundle."""

import json

import pytest
import torch

from seqserve.loading import load_bundle
from seqserve.training.checkpoints import load_tensors
from seqserve.training.export_run import export_run
from seqserve.training.loop import Training
from seqserve.training.reading.token_ids import CorpusError
from seqserve.training.runs import fit, resume
from seqserve.training.transducers.batch import batch_pairs
from seqserve.training.transducers.task import TransducerTask
from seqserve.transducer.beam import Search
from seqserve.transducer.model import TransduceRow
from tests.seqserve.tiny_transducer import KNOWN
from tests.training.tiny_transducer import tiny_transducer_config


def test_it_learns_its_pairs_and_becomes_a_bundle(tmp_path):
    config = tiny_transducer_config(
        tmp_path,
        model={
            "embedding_dim": 16,
            "encoder": {"hidden_size": 10},
            "decoder": {"hidden_size": 24},
            "dropout": {"input": 0.0, "hidden": 0.0, "output": 0.0, "recurrent": 0.0},
        },
        optimizer={"learning_rate": 0.04},
        loop={"epochs": 60, "average_decay": 0.0},
    )
    fit(config, tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run" / "epochs.jsonl").read_text().splitlines()]
    assert -0.5 < max(line["dev_score"] for line in lines) < 0
    bundle = load_bundle(export_run(tmp_path / "run", tmp_path / "models", card=None))
    assert bundle.reproducible
    assert bundle.manifest.languages == ["en", "fr"]
    assert "perplexity of a token" in (tmp_path / "models" / "tiny-translate" / "1" / "README.md").read_text()
    found = bundle.transduce([TransduceRow(bundle.source_ids(text), Search(1, 20)) for text in KNOWN])
    right = [bundle.text_of(each.ids) == expected for each, expected in zip(found, KNOWN.values(), strict=True)]
    assert sum(right) >= len(KNOWN) - 2


@pytest.mark.parametrize("cell", ["lstm", "gru-simplified"])
def test_stopped_within_an_epoch_resumes_to_the_same_weights(tmp_path, monkeypatch, cell):
    config = tiny_transducer_config(
        tmp_path,
        model={"cell": cell, "tied": False},
        loop={"checkpoint_every_s": 0.0, "exact_tokens": 8, "sampled_tokens": 6},
    )
    fit(config, tmp_path / "whole")

    def stop_in_second_epoch(self, examples, steps_per_epoch, step=Training._step):
        if self.position.epoch == 1 and self.position.step == 1:
            raise KeyboardInterrupt
        step(self, examples, steps_per_epoch)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "_step", stop_in_second_epoch)
        with pytest.raises(KeyboardInterrupt):
            fit(config, tmp_path / "stopped")
    resume(tmp_path / "stopped")
    whole, stopped = (load_tensors(tmp_path / name / "model.pt") for name in ("whole", "stopped"))
    assert whole["epoch"] == stopped["epoch"]
    assert all(torch.equal(weight, stopped["weights"][name]) for name, weight in whole["weights"].items())


def test_evaluation_is_the_mean_over_all_tokens(tmp_path):
    task = TransducerTask(tiny_transducer_config(tmp_path))
    task.model.eval()
    (name,) = task.dev
    with torch.no_grad():
        (score,) = task.evaluate().values()
        total = sum(task.model.loss(batch_pairs([pair])).item() for pair in task.dev[name])
    assert score.score == -score.loss
    assert score.score == pytest.approx(-total / sum(len(pair.target) for pair in task.dev[name]), rel=1e-5)
    assert score.weight == sum(len(pair.target) for pair in task.dev[name])


def test_pairs_beyond_the_limits_are_left_out(tmp_path):
    task = TransducerTask(tiny_transducer_config(tmp_path, source={"max_tokens": 3}))
    assert {len(pair.source) for pair in task.train} == {3}


@pytest.mark.parametrize("part", ["train", "valid"])
def test_a_file_without_pairs_is_named(tmp_path, part):
    (tmp_path / "empty.tsv").write_text("")
    data = {part: [{"file": str(tmp_path / "empty.tsv")}]}
    with pytest.raises(CorpusError, match=r"empty\.tsv: it holds no pair within source\.max_tokens"):
        TransducerTask(tiny_transducer_config(tmp_path, data=data))


def test_a_file_whose_pairs_are_all_too_long_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r"pairs\.tsv: it holds no pair within source\.max_tokens"):
        TransducerTask(tiny_transducer_config(tmp_path, source={"max_tokens": 1}))


def test_pairs_that_are_left_out_are_counted(tmp_path):
    config = tiny_transducer_config(tmp_path)
    (tmp_path / "pairs.tsv").write_text(f"a b\tc\n\na\t\n{'a ' * 13}\tc\n")
    task = TransducerTask(config)
    assert len(task.train) == 1
    assert task.notes[0] == (
        f"{tmp_path / 'pairs.tsv'}: 2 of 3 pairs are left out: one side is empty, or longer than source.max_tokens or "
        "target.max_tokens"
    )
    assert task.notes[-1] == "pairs.tsv: 1 of 1 pairs are in the training files too"
