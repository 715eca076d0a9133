import json
import math

import pytest
import torch

from seqserve.training.checkpoints import load_tensors
from seqserve.training.language.task import LanguageTraining
from seqserve.training.load_config import config_table
from seqserve.training.reading.token_ids import CorpusError
from seqserve.training.runs import fit, resume
from seqserve.training.trainer import DivergedError
from tests.training.tiny_language import tiny_language_config

STREAM = {"unit": "stream"}
NT_ASGD = {"patience": 1, "average_decay": 0.0}


def final_state(run):
    state = load_tensors(run / "checkpoint.pt")
    return {**state["model"], **{f"average {name}": w for name, w in state["average"]["weights"].items()}}


def assert_same(first, second):
    left, right = final_state(first), final_state(second)
    assert left.keys() == right.keys()
    for name, weight in left.items():
        assert torch.equal(weight, right[name]), name


def history(run):
    return [json.loads(line) for line in (run / "epochs.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("text", [{"unit": "line"}, STREAM], ids=["line", "stream"])
def test_learns_six_sentences(tmp_path, text):
    nothing = {"dropout": {}}
    config = tiny_language_config(
        tmp_path, text=text, model=nothing, loop={"total_tokens": 30_000, "evaluate_every_tokens": 10_000}
    )
    fit(config, tmp_path / "run")
    lines = history(tmp_path / "run")
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    # Six equally likely sentences of 6.3 words and an end: ln 6 / 7.3 nats a token if known by heart.
    assert lines[-1]["valid_perplexity"] < 1.6
    assert (tmp_path / "run" / "curves.png").read_bytes().startswith(b"\x89PNG")
    saved = load_tensors(tmp_path / "run" / "model.pt")
    assert saved["tokens"][0] == "the"
    assert saved["weights"]["embedding.weight"].shape == (len(saved["tokens"]) + 2, 8)
    assert saved["epoch"] in (1, 2, 3)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"text": STREAM},
        {"optimizer": {"name": "nt-asgd", "learning_rate": 1.0, "schedule": "constant"}, "loop": NT_ASGD},
        {"model": {"softmax": "adaptive", "cutoffs": [4, 8]}},
        {"model": {"tied": True}, "loop": {"exact_tokens": 4, "sampled_tokens": 3}},
        {"loop": {"precision": "bf16", "batch_tokens": 60}, "optimizer": {"fused": True}},
        {"model": {"cell": "lstm-peephole"}, "text": STREAM, "loop": {"precision": "bf16"}},
    ],
    ids=["line", "stream", "nt-asgd", "adaptive", "sampled", "bf16", "peephole"],
)
def test_stopped_anywhere_it_resumes_to_the_same_weights(tmp_path, monkeypatch, changes):
    changes = {**changes, "loop": {"checkpoint_every_s": 0.0, **changes.get("loop", {})}}
    config = tiny_language_config(tmp_path, **changes)
    fit(config, tmp_path / "whole")

    def stop_in_second_pass(self, window, step=LanguageTraining._step):
        if self.position.passes == 1 and self.position.windows == 3:
            raise KeyboardInterrupt
        step(self, window)

    with monkeypatch.context() as patch:
        patch.setattr(LanguageTraining, "_step", stop_in_second_pass)
        with pytest.raises(KeyboardInterrupt):
            fit(config, tmp_path / "stopped")
    torch.manual_seed(999)
    resume(tmp_path / "stopped")
    assert_same(tmp_path / "whole", tmp_path / "stopped")
    assert [line["valid_loss"] for line in history(tmp_path / "whole")] == [
        line["valid_loss"] for line in history(tmp_path / "stopped")
    ]


@pytest.mark.parametrize("clip_norm", [0.0, 1.0])
def test_a_training_that_diverges_stops_with_a_sentence(tmp_path, clip_norm):
    optimizer = {"name": "sgd", "learning_rate": 1e30, "schedule": "constant", "clip_norm": clip_norm}
    config = tiny_language_config(tmp_path, optimizer=optimizer)
    with pytest.raises(DivergedError, match=r"run: diverged after \d+ tokens: loss .* lower optimizer.learning_rate"):
        fit(config, tmp_path / "run")
    assert not (tmp_path / "run" / "model.pt").exists()


def test_a_seed_gives_the_same_weights_and_another_does_not(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        fit(tiny_language_config(tmp_path, seed=seed), tmp_path / name)
    assert_same(tmp_path / "a", tmp_path / "b")
    assert not torch.equal(
        final_state(tmp_path / "a")["embedding.weight"], final_state(tmp_path / "c")["embedding.weight"]
    )


def test_curves_are_drawn_at_the_end_only_unless_they_are_due(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr("seqserve.training.language.task.draw_language_curves", lambda *given, **_: drawn.append(given))
    monkeypatch.setattr("seqserve.training.trainer.DRAW_EVERY_S", math.inf)
    fit(tiny_language_config(tmp_path), tmp_path / "run")
    assert len(drawn) == 1


def test_a_run_that_cannot_be_begun_leaves_nothing(tmp_path):
    (tmp_path / "empty.txt").write_text("")
    config = tiny_language_config(tmp_path, data={"valid": [{"file": str(tmp_path / "empty.txt")}]})
    with pytest.raises(CorpusError):
        fit(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_folder_says_how_it_was_made(tmp_path):
    config = tiny_language_config(tmp_path)
    fit(config, tmp_path / "run")
    assert json.loads((tmp_path / "run" / "config.json").read_text()) == json.loads(json.dumps(config_table(config)))
    statistics = json.loads((tmp_path / "run" / "text" / "statistics.json").read_text())
    assert statistics["valid"]["sequences"] == 6
    assert statistics["train"]["sequences"] == 24


def test_the_best_weights_are_kept_unless_the_last_are_asked_for(tmp_path):
    # So high a rate that the loss on valid rises after the first evaluation.
    config = {"optimizer": {"learning_rate": 3.0, "schedule": "constant", "clip_norm": 0.1}}
    for keep in ("best", "last"):
        loop = {"keep": keep, "average_decay": 0.0}
        fit(tiny_language_config(tmp_path, loop=loop, **config), tmp_path / keep)
    losses = [line["valid_loss"] for line in history(tmp_path / "best")]
    assert losses.index(min(losses)) < len(losses) - 1
    kept = {keep: load_tensors(tmp_path / keep / "model.pt")["epoch"] for keep in ("best", "last")}
    assert kept == {"best": losses.index(min(losses)) + 1, "last": len(losses)}


def test_a_character_model_without_ends_measures_bits(tmp_path):
    text = {"level": "character", "tokenization": "characters", "unit": "stream", "ends_sentences": False}
    config = tiny_language_config(tmp_path, text=text, data={"valid": [{"file": str(tmp_path / "text.txt")}]})
    fit(config, tmp_path / "run")
    assert math.log2(history(tmp_path / "run")[-1]["valid_perplexity"]) < math.log2(30)
    assert "\n" in load_tensors(tmp_path / "run" / "model.pt")["tokens"]
