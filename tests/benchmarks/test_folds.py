"""Folds: every text is held out once, nothing is chosen on it, and a command that was stopped goes on."""

import dataclasses
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from benchmarks import folds
from benchmarks.folds import answers_by_fold, fold_config
from seqserve.errors import SeqserveError
from seqserve.training.checkpoints import RunError, load_tensors
from seqserve.training.loop import Training
from seqserve.training.reading.labelled_text import LabelledFile, read_labelled
from tests.pictures import quick_pictures as quick_pictures
from tests.training.tiny_classifier import QUESTIONS, tiny_classifier_config

LABELS = ("statement", "question")


def texts(files: tuple[LabelledFile, ...]) -> list[str]:
    return [each.text for file in files for each in read_labelled(Path(file.file), file, LABELS)]


@pytest.mark.parametrize("num_folds", [2, 3])
def test_every_text_is_held_out_once_and_learned_from_in_the_other_folds(num_folds: int) -> None:
    part = {"data": {"train": [{"file": str(QUESTIONS), "part": [0.0, 0.5]}]}}
    config = tiny_classifier_config(**part, loop={"patience": 2})
    everything = sorted(texts((LabelledFile(str(QUESTIONS)),)))
    own = [fold_config(config, fold, num_folds) for fold in range(num_folds)]
    assert sorted(text for each in own for text in texts(each.data.dev)) == everything
    for each in own:
        assert sorted(texts(each.data.train) + texts(each.data.dev)) == everything
        assert (each.loop.keep, each.loop.patience) == ("last", 0)


def test_equal_texts_are_in_one_fold(tmp_path: Path) -> None:
    repeated = tmp_path / "repeated.tsv"
    repeated.write_text(QUESTIONS.read_text("utf-8") * 2, encoding="utf-8")
    data = {"train": [{"file": str(repeated)}]}
    for fold in range(3):
        own = fold_config(tiny_classifier_config(data=data), fold, 3)
        assert not set(texts(own.data.train)) & set(texts(own.data.dev))


def test_a_stopped_command_goes_on_and_trains_no_finished_fold_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_classifier_config(loop={"epochs": 2})
    whole = list(answers_by_fold(config, 2, tmp_path / "whole"))
    assert sum(len(each.gold) for each in whole) == 20
    trained: list[tuple[str, int]] = []

    def counted(self: Training, run_epoch=Training._run_epoch) -> None:  # type: ignore[no-untyped-def]
        trained.append((self.folder.name, self.position.epoch))
        if len(trained) == 4:  # second epoch of the second fold
            raise KeyboardInterrupt
        run_epoch(self)

    monkeypatch.setattr(Training, "_run_epoch", counted)
    with pytest.raises(KeyboardInterrupt):
        list(answers_by_fold(config, 2, tmp_path / "stopped"))
    assert list(answers_by_fold(config, 2, tmp_path / "stopped")) == whole
    assert trained == [("1", 0), ("1", 1), ("2", 0), ("2", 1), ("2", 1)]
    assert load_tensors(tmp_path / "stopped" / "1" / "model.pt")["epoch"] == 2
    other = dataclasses.replace(config, loop=dataclasses.replace(config.loop, epochs=3))
    with pytest.raises(RunError, match="holds a fold of another configuration"):
        list(answers_by_fold(other, 2, tmp_path / "stopped"))


def test_the_command_prints_each_fold_and_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "tiny.toml"
    config.write_text(
        f"""task = "classify"
        name = "tiny"
        version = "1"
        description = "questions"
        licence = "MIT"
        data.labels = ["statement", "question"]
        data.train = [{{ file = "{QUESTIONS}" }}]
        data.dev = [{{ file = "{QUESTIONS}" }}]
        model = {{ hidden_size = 4, num_layers = 1, pooling = "middle", characters = {{ kind = "none" }} }}
        loop = {{ epochs = 1, threads = 1 }}""",
        encoding="utf-8",
    )
    words = ["folds", str(config), "--folds", "2", "--to", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", words)
    assert folds.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [lines[at] for at in (0, 4, 8)] == ["fold 1", "fold 2", "all 2 folds"]
    assert lines[9].startswith("texts: 20; accuracy: ")
    monkeypatch.setattr(sys, "argv", [*words[:2], "--folds", "1"])
    with pytest.raises(SeqserveError, match="2 or more"):
        folds.main()
