"""`seqserve train evaluate` and `export` on a classifier."""

import argparse
import json
from pathlib import Path

import pytest

from seqserve.errors import SeqserveError
from seqserve.loading import load_bundle
from seqserve.training.commands import evaluate
from seqserve.training.export_run import export_run
from seqserve.training.runs import fit
from tests.training.tiny_classifier import QUESTIONS, tiny_classifier_config

BUNDLE = Path(__file__).parents[2] / "fixtures" / "bundles" / "tiny-classifier" / "1"


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    evaluate.add_arguments(parser)
    return evaluate.run(parser.parse_args([str(BUNDLE), *words]))


def test_accuracy_precision_and_recall(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = QUESTIONS.read_text(encoding="utf-8").splitlines()
    wrong = tmp_path / "wrong.tsv"
    wrong.write_text("\n".join([*lines[:-1], lines[-1].replace("statement", "question")]), encoding="utf-8")
    assert command(str(wrong), "--json") == 0
    scores = json.loads(capsys.readouterr().out)
    assert (scores["num_texts"], scores["accuracy"]) == (20, 0.95)
    assert scores["labels"]["statement"]["precision"] == 0.9
    assert scores["labels"]["statement"]["recall"] == 1.0
    assert scores["labels"]["question"] == {
        "precision": 1.0,
        "recall": pytest.approx(10 / 11),
        "num_gold": 11,
        "num_found": 10,
    }
    assert scores["log_prob"] < 0


def test_other_ways_to_write_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = tmp_path / "texts"
    texts.write_text("where is the cat?\nthe cat is on the mat.\nrun!\n", encoding="utf-8")
    assert command(str(texts), "--final-mark", "--map", "?=question,.=statement") == 0
    assert "texts: 2; accuracy: 100.00%" in capsys.readouterr().out
    assert command(str(texts), "--label", "question") == 0
    assert "texts: 3; accuracy: " in capsys.readouterr().out
    csv = tmp_path / "texts.csv"
    csv.write_text('label,text\nquestion,"where, is the cat"\n', encoding="utf-8")
    assert command(str(csv), "--csv", "--column", "1", "--label-column", "0") == 0
    assert "texts: 1; " in capsys.readouterr().out


def test_longer_texts_are_cut_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "long").write_text("what " * 30 + "\n", encoding="utf-8")
    assert command(str(tmp_path / "long"), "--label", "question") == 0
    assert "cut at the longest: 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "a classifier is evaluated on FILE"),
        (["{file}", "--whole"], "a classifier does not take --whole"),
        (["{file}", "--lower"], "a classifier does not take --lower"),
        (["{file}", "--label", "question", "--final-mark"], "--label and --final-mark exclude each other"),
        (["{file}", "--label", "maybe"], "the label 'maybe' is none of statement, question"),
        (["{file}", "--map", "other=question"], "no text has one of the labels"),
    ],
)
def test_what_cannot_be_measured_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(SeqserveError, match=message):
        command(*(word.format(file=QUESTIONS) for word in words))


def test_a_run_becomes_a_bundle_that_answers(tmp_path: Path) -> None:
    config = tiny_classifier_config(loop={"epochs": 2}, model={"cell": "gru", "pooling": "last", "feed_forward": [6]})
    fit(config, tmp_path / "run")
    bundle = load_bundle(export_run(tmp_path / "run", tmp_path / "models", card=None))
    architecture = bundle.manifest.architecture
    assert (architecture.cell, architecture.pooling, architecture.feed_forward) == ("gru", "last", [6])
    assert bundle.manifest.metrics[f"dev {QUESTIONS.name}"].keys() == {"accuracy"}
    assert "| accuracy |" in (tmp_path / "models" / "tiny-classifier" / "1" / "README.md").read_text()
