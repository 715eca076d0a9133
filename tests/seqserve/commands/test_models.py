"""`seqserve models`: what folders hold, as a table or JSON lines, and what is passed over."""

import json
import shutil
from pathlib import Path

import pytest

from seqserve.cli import main
from tests.service.conftest import BUNDLES


def test_the_table_has_a_row_for_each_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", str(BUNDLES)]) == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split() == ["name", "version", "task", "languages", "parameters", "licence", "folder"]
    assert [row.split()[0] for row in rows] == [
        "tiny-char-lm",
        "tiny-classifier",
        "tiny-lm",
        "tiny-ner",
        "tiny-translate",
    ]
    assert {row.index(str(BUNDLES)) for row in rows} == {heading.index("folder")}
    assert rows[3].split() == ["tiny-ner", "1", "tag", "en", "11,328", "MIT", str(BUNDLES / "tiny-ner" / "1")]


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json", str(BUNDLES / "tiny-translate" / "1"), str(BUNDLES / "tiny-ner" / "1")]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {
        "name": "tiny-translate",
        "version": "1",
        "task": "transduce",
        "languages": ["en", "fr"],
        "parameters": 9636,
        "licence": "MIT",
        "folder": str(BUNDLES / "tiny-translate" / "1"),
    }
    assert second["name"] == "tiny-ner"


def test_folders_of_the_environment_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEQSERVE_MODELS", f"{BUNDLES / 'tiny-ner' / '1'}:{BUNDLES / 'tiny-lm' / '1'}")
    assert main(["models"]) == 0
    assert [row.split()[0] for row in capsys.readouterr().out.splitlines()] == ["name", "tiny-ner", "tiny-lm"]


def test_what_is_passed_over_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(BUNDLES / "tiny-ner", tmp_path / "tiny-ner")
    shutil.copytree(BUNDLES / "tiny-ner", tmp_path / "other")
    assert main(["models", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 2
    assert captured.err == (
        f"seqserve: {tmp_path}/other/1 is passed over: its manifest has the name 'tiny-ner' instead of 'other'.\n"
    )


def test_a_bundle_that_cannot_be_read_does_not_hide_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(BUNDLES / "tiny-ner", tmp_path / "tiny-ner")
    (tmp_path / "broken" / "1").mkdir(parents=True)
    (tmp_path / "broken" / "1" / "manifest.json").write_text("{}", "utf-8")
    assert main(["models", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert "tiny-ner" in captured.out
    assert captured.err.startswith(f"seqserve: {tmp_path}/broken/1/manifest.json: ")


def test_models_of_the_same_name_are_listed_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = shutil.copytree(BUNDLES / "tiny-ner", tmp_path / "tiny-ner") / "1"
    first = BUNDLES / "tiny-ner" / "1"
    assert main(["models", str(first), str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert [row.split()[-1] for row in captured.out.splitlines()[1:]] == [str(first), str(copy)]
    assert captured.err.startswith(f"seqserve: {copy}: the model 'tiny-ner' is also in {first}; name one folder of")


def test_no_models_at_all_says_where_they_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("SEQSERVE_MODELS", raising=False)
    assert main(["models"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("seqserve: no model is in ./models, ")
    assert "--models" in said
    assert "SEQSERVE_MODELS" in said
