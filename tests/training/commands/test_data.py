"""What training data hold, as the command says it."""

import json
from pathlib import Path

import pytest

from seqserve.training.__main__ import main

TRAIN = "Ann\tU-PER\nran\tO\n\nIt\tO\nrained\tO\n\nIt\tO\nrained\tO\n\nNew-York\tU-LOC\n"
DEV = '{"text": "It rained in Romes.", "spans": [{"start": 13, "end": 17, "label": "GPE"}]}\n{"text": "It rained"}\n'


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    (tmp_path / "train.conll").write_text(TRAIN, encoding="utf-8")
    (tmp_path / "dev.jsonl").write_text(DEV, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return "train.conll", "dev.jsonl"


def test_files_are_described(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", *files]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "train.conll: columns; BILOU",
        "  sentences: 4; tokens: 7",
        "  spans: 2 (PER 1, LOC 1)",
        "  sentences whose tokens are others in the service: 1",
        "  sentences that repeat an earlier one: 1",
        "  | [Ann PER] ran",
        "  | [New-York LOC]",
        "dev.jsonl: JSON of texts and spans; spans of characters",
        "  sentences: 2; tokens: 7",
        "  spans: 1 (GPE 1)",
        "  spans with an edge inside a token: 1 (widened)",
        "    dev.jsonl, line 1: GPE 'Rome' in 'Romes'",
        "  | It rained in [Romes GPE] .",
        "dev.jsonl: sentences that are in train.conll too: 1",
        "train.conll: labels that only another file has: GPE",
        "dev.jsonl: labels that only another file has: LOC, PER",
    ]


def test_json_says_the_same(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", *files, "--json", "--unaligned", "drop"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [file["num_sentences"] for file in told["files"]] == [4, 2]
    assert told["files"][1]["spans"] == {}
    assert told["files"][1]["misfits"] == ["dev.jsonl, line 1: GPE 'Rome' in 'Romes'"]
    assert told["repeated"] == [{"file": "dev.jsonl", "of": "train.conll", "num_sentences": 1}]


@pytest.mark.parametrize("text", ["", "\n \n", "-DOCSTART- -X- O O\n\n"], ids=["empty", "blank", "marks"])
def test_a_file_without_a_sentence_is_named(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str], text: str
) -> None:
    Path("train.conll").write_text(text, encoding="utf-8")
    assert main(["data", "train.conll"]) == 1
    assert capsys.readouterr().err == "seqserve: train.conll: it holds no sentence\n"
