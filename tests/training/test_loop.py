import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from seqserve.training.checkpoints import RunError, load_tensors
from seqserve.training.corpora import CorporaError
from seqserve.training.load_config import config_table
from seqserve.training.loop import Training
from seqserve.training.runs import fit, resume
from seqserve.training.taggers.task import TaggerTask
from seqserve.training.task import DevScore
from seqserve.training.trainer import DivergedError
from tests.training.tiny import FIXTURES, tiny_config

ROOT = Path(__file__).parent.parent.parent


def final_state(run):
    state = load_tensors(run / "checkpoint.pt")
    return {**state["model"], **{f"average {name}": w for name, w in state["average"]["weights"].items()}}


def assert_same_weights(first, second):
    left, right = final_state(first), final_state(second)
    assert left.keys() == right.keys()
    for name, weight in left.items():
        assert torch.equal(weight, right[name]), name


def dev_history(run):
    lines = [json.loads(line) for line in (run / "epochs.jsonl").read_text().splitlines()]
    return [(line["epoch"], line["loss"], line["dev_score"]) for line in lines]


def test_learns_twenty_sentences(tmp_path):
    fit(tiny_config(loop={"epochs": 25}, model={"dropout": {"input": 0.0, "hidden": 0.0, "output": 0.0}}), tmp_path)
    assert dev_history(tmp_path)[-1][2] == 1.0
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "config.json").read_text())["loop"]["epochs"] == 25


def test_a_seed_gives_the_same_weights_and_another_does_not(tmp_path):
    augment = {"lower": 0.3, "swap_mentions": 0.3}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        fit(tiny_config(seed=seed, augment=augment, loop={"epochs": 2}), tmp_path / name)
    assert_same_weights(tmp_path / "a", tmp_path / "b")
    different = final_state(tmp_path / "a")["emission.weight"] != final_state(tmp_path / "c")["emission.weight"]
    assert different.any()


def test_stopped_within_an_epoch_resumes_to_the_same_weights(tmp_path, monkeypatch):
    config = tiny_config(loop={"checkpoint_every_s": 0.0})
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
    assert_same_weights(tmp_path / "whole", tmp_path / "stopped")
    assert dev_history(tmp_path / "whole") == dev_history(tmp_path / "stopped")
    whole, stopped = (load_tensors(tmp_path / name / "model.pt") for name in ("whole", "stopped"))
    assert whole["epoch"] == stopped["epoch"]
    assert all(torch.equal(weight, stopped["weights"][name]) for name, weight in whole["weights"].items())


TRAINER = """
import json, os, sys
from pathlib import Path
import torch._dynamo  # which the first step of an optimizer imports
from seqserve.training import curves
curves.draw_curves = lambda *given, **options: None
from seqserve.training.load_config import config_from
from seqserve.training.runs import fit, resume
run, config = Path(sys.argv[1]), config_from(json.loads(sys.argv[2]))
for _ in sys.stdin:
    process_id = os.fork()
    if not process_id:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            resume(run) if (run / "config.json").exists() else fit(config, run)
            os._exit(0)
        finally:
            os._exit(1)
    print(process_id, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(process_id, 0)[1]), flush=True)
"""
"""Fits or resumes in a process of its own for each line of input, so that torch is loaded once."""


def test_killed_process_resumes_to_the_same_weights(tmp_path):
    """kill -9 at three arbitrary moments, at whatever the process is doing then."""
    config = tiny_config(loop={"epochs": 6, "checkpoint_every_s": 0.0})
    fit(config, tmp_path / "whole")
    run = tmp_path / "killed"
    command = [sys.executable, "-c", TRAINER, str(run), json.dumps(config_table(config))]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True, bufsize=1) as trainer:
        for checkpoints in (1, 3, 2):  # killed after this many new checkpoints
            process_id = start_training(trainer)
            wait_for_checkpoints(run / "checkpoint.pt", checkpoints)
            os.kill(process_id, signal.SIGKILL)
            assert int(trainer.stdout.readline()) == -signal.SIGKILL
        start_training(trainer)
        assert int(trainer.stdout.readline()) == 0
        trainer.stdin.close()
    assert_same_weights(tmp_path / "whole", run)
    assert dev_history(tmp_path / "whole") == dev_history(run)


def start_training(trainer):
    """Return the id of the process that trains."""
    trainer.stdin.write("\n")
    return int(trainer.stdout.readline())


def wait_for_checkpoints(path, number):
    """Wait until the file has been replaced that often."""
    seen, last = 0, path.stat().st_mtime_ns if path.exists() else None
    deadline = time.monotonic() + 60
    while seen < number:
        assert time.monotonic() < deadline, "no checkpoint in a minute"
        now = path.stat().st_mtime_ns if path.exists() else None
        if now != last:
            seen, last = seen + 1, now
        time.sleep(0.001)


def test_patience_stops_early_also_where_equal_scores_have_ever_lower_losses(tmp_path, given_scores):
    given_scores(*((0.5, 1.0 / epoch) for epoch in range(1, 31)))
    fit(tiny_config(loop={"epochs": 30, "patience": 2}), tmp_path)
    assert len(dev_history(tmp_path)) == 3


def test_the_kept_epoch_is_the_best_by_the_weighted_mean(tmp_path):
    twenty = str(FIXTURES / "twenty.conll")
    dev = [{"file": twenty, "weight": 3.0}, {"file": twenty, "case": "upper"}]
    fit(tiny_config(data={"dev": dev}, loop={"epochs": 6}), tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "epochs.jsonl").read_text().splitlines()]
    for line in lines:
        as_is, upper = line["dev"].values()
        assert line["dev_score"] == pytest.approx((3 * as_is + upper) / 4)
    best = max(lines, key=lambda line: line["dev_score"])
    assert load_tensors(tmp_path / "model.pt")["epoch"] == best["epoch"]


@pytest.fixture
def given_scores(monkeypatch):
    """Say in place of the dev files what the evaluation after each epoch finds: (score, loss)."""

    def give(*scores):
        found = iter(scores)
        monkeypatch.setattr(TaggerTask, "evaluate", lambda self: {"dev": DevScore(*next(found))})

    return give


@pytest.mark.parametrize(
    ("scores", "epoch"),
    [
        ([(0.5, 2.0), (0.5, 1.0), (0.4, 0.5)], 2),
        ([(0.5, 1.0), (0.5, 2.0), (0.5, 1.5)], 1),
        ([(0.5, 1.0), (0.5, 1.0), (0.4, 0.5)], 2),
        ([(0.5, 1.0), (0.6, 9.0), (0.5, 0.1)], 2),
    ],
    ids=["lower loss", "higher loss", "equal loss, later", "the score comes first"],
)
def test_of_equal_scores_the_lower_dev_loss_is_kept_else_the_later(tmp_path, given_scores, scores, epoch):
    given_scores(*scores)
    fit(tiny_config(loop={"epochs": 3}), tmp_path)
    assert load_tensors(tmp_path / "model.pt")["epoch"] == epoch


def test_the_last_weights_are_kept_where_nothing_is_to_be_chosen(tmp_path, given_scores):
    given_scores((0.9, 1.0), (0.8, 2.0), (0.7, 3.0))
    fit(tiny_config(loop={"epochs": 3, "keep": "last"}), tmp_path)
    assert load_tensors(tmp_path / "model.pt")["epoch"] == 3


@pytest.mark.parametrize("clip_norm", [0.0, 1.0])
def test_a_training_that_diverges_stops_with_a_sentence(tmp_path, clip_norm):
    optimizer = {"name": "sgd", "learning_rate": 1e30, "schedule": "constant", "clip_norm": clip_norm}
    config = tiny_config(optimizer=optimizer, loop={"epochs": 2, "batch_size": 10})
    with pytest.raises(DivergedError, match=r"diverged in epoch \d after \d steps: .* lower optimizer.learning_rate"):
        fit(config, tmp_path)
    assert not (tmp_path / "model.pt").exists()


def test_bf16_training_runs_and_learns(tmp_path):
    fit(tiny_config(loop={"epochs": 10, "precision": "bf16"}), tmp_path)
    losses = [loss for _, loss, _ in dev_history(tmp_path)]
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize(("every_s", "pictures"), [(math.inf, 1), (0.0, 4)], ids=["not due", "always due"])
def test_curves_are_drawn_when_due_and_at_the_end(tmp_path, monkeypatch, every_s, pictures):
    drawn = []
    monkeypatch.setattr("seqserve.training.loop.draw_curves", lambda path, history, **options: drawn.append(history))
    monkeypatch.setattr("seqserve.training.trainer.DRAW_EVERY_S", every_s)
    fit(tiny_config(loop={"epochs": 3}), tmp_path)
    assert len(drawn) == pictures
    assert len(drawn[-1]) == 3


def test_a_run_that_cannot_be_begun_leaves_nothing(tmp_path):
    with pytest.raises(CorporaError):
        fit(tiny_config(data={"train": [{"file": str(tmp_path / "absent.conll")}]}), tmp_path / "runs" / "tiny-1")
    assert not (tmp_path / "runs" / "tiny-1").exists()


def test_a_run_that_cannot_be_begun_leaves_a_folder_as_it_was(tmp_path):
    (tmp_path / "notes").mkdir()
    with pytest.raises(CorporaError):
        fit(tiny_config(data={"train": [{"file": str(tmp_path / "absent.conll")}]}), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


def test_a_run_that_is_stopped_while_it_reads_leaves_nothing(tmp_path, monkeypatch):
    def stop(config):
        raise KeyboardInterrupt

    monkeypatch.setattr(TaggerTask, "__init__", lambda self, config: stop(config))
    with pytest.raises(KeyboardInterrupt):
        fit(tiny_config(), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_run_folders_are_not_overwritten(tmp_path):
    fit(tiny_config(loop={"epochs": 1}), tmp_path)
    with pytest.raises(RunError, match="holds a run already"):
        fit(tiny_config(), tmp_path)
    with pytest.raises(RunError, match="not a run folder"):
        resume(tmp_path / "nowhere")
