"""`seqserve check`: which bundles are sound, and whether they stand where their manifest says."""

import shutil
from pathlib import Path

import pytest

from seqserve.cli import main
from tests.service.conftest import BUNDLES

SOUND = "tiny-ner 1 is sound: golden answers hold, rows stand alone.\n"


@pytest.mark.parametrize(
    "arguments",
    [[str(BUNDLES / "tiny-ner" / "1")], [str(BUNDLES / "tiny-ner")], ["tiny-ner", "--models", str(BUNDLES)]],
    ids=["bundle", "folder of versions", "name"],
)
def test_a_bundle_is_found(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *arguments]) == 0
    assert capsys.readouterr().out == SOUND


def test_one_that_fails_does_not_hide_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "none"), str(BUNDLES / "tiny-ner" / "1")]) == 1
    captured = capsys.readouterr()
    assert captured.out == SOUND
    assert captured.err.startswith(f"seqserve: {tmp_path / 'none'}: is no bundle: ")


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("tiny-ner/1", ""),
        ("any/where", ""),
        ("tiny-ner/12", "its manifest has the version '1' instead of '12'"),
        ("other/1", "its manifest has the name 'tiny-ner' instead of 'other'"),
    ],
)
def test_folder_and_manifest_agree(tmp_path: Path, place: str, reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shutil.copytree(BUNDLES / "tiny-ner" / "1", tmp_path / place)
    assert main(["check", str(folder)]) == bool(reason)
    assert capsys.readouterr().err == (f"seqserve: {folder}: {reason}\n" if reason else "")
