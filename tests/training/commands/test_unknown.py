"""`seqserve train unknown`, as a user gives it."""

import shutil
from pathlib import Path

import pytest

from seqserve.language.language_model import LanguageModel
from seqserve.loading import load
from seqserve.manifest import read_manifest
from seqserve.training.__main__ import main

BUNDLES = Path(__file__).parents[2] / "fixtures" / "bundles"


@pytest.fixture
def words(tmp_path):
    shutil.copytree(BUNDLES / "tiny-lm", tmp_path / "tiny-lm")
    (tmp_path / "text.txt").write_text("The cat saw a zebra.\nTHE ibex saw the cat.\n")
    return tmp_path / "tiny-lm" / "1"


def test_the_number_is_printed_and_written(words, tmp_path, capsys):
    assert main(["unknown", str(words), str(tmp_path / "text.txt")]) == 0
    texts = read_manifest(words).texts
    assert texts.lookup == ["plain", "exact", "lower", "capital"]
    printed = capsys.readouterr().out
    assert "tokens: 12; unknown: 4, of 3 types, 2 of them once and 1 twice" in printed
    assert f"unknown types in all: {texts.num_unknown_types};" in printed


def test_only_what_is_said_of_texts_changes(words, tmp_path):
    before = (words / "manifest.json").read_text()
    for _ in range(2):
        assert main(["unknown", str(words), str(tmp_path / "text.txt")]) == 0
    after = (words / "manifest.json").read_text()
    assert after.startswith(before.removesuffix("\n}\n"))


def test_the_bundle_then_scores_a_known_word_above_an_unknown_one(words, tmp_path):
    with load(words, LanguageModel) as model:
        [before] = model.score(["the zebra"])
    (tmp_path / "text.txt").write_text(" ".join(f"w{number}" for number in range(50)) + "\n")
    assert main(["unknown", str(words), str(tmp_path / "text.txt")]) == 0
    with load(words, LanguageModel) as model:
        [after] = model.score(["the zebra"])
    assert after.log_prob < before.log_prob - 5


def test_a_model_of_characters_has_no_unknown_words(tmp_path, capsys):
    (tmp_path / "text.txt").write_text("The cat.\n")
    assert main(["unknown", str(BUNDLES / "tiny-char-lm"), str(tmp_path / "text.txt")]) == 2
    assert "model of characters" in capsys.readouterr().err
