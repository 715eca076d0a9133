"""Which folders are bundles, and which are passed over."""

import os
from pathlib import Path

import msgspec
import pytest

from seqserve.finding import PassedOver, find_bundles
from seqserve.manifest import read_manifest, write_manifest
from tests.seqserve.tiny_bundle import TINY


def put(models: Path, folder: str, *, name: str, version: str) -> Path:
    made = models / folder
    made.mkdir(parents=True)
    write_manifest(made, msgspec.structs.replace(read_manifest(TINY), name=name, version=version))
    return made


def found(models: Path) -> tuple[list[str], list[PassedOver]]:
    passed_over: list[PassedOver] = []
    folders = find_bundles(models, pass_over=passed_over.append)
    return [str(folder.relative_to(models)) for folder in folders], passed_over


def test_a_copy_under_another_version_does_not_take_the_place_of_the_original(tmp_path: Path) -> None:
    put(tmp_path, "x/1", name="x", version="1")
    copy = put(tmp_path, "x/1.bak", name="x", version="1")
    assert found(tmp_path) == (["x/1"], [PassedOver(copy, "its manifest has the version '1' instead of '1.bak'")])


def test_a_model_under_another_name_is_passed_over(tmp_path: Path) -> None:
    copy = put(tmp_path, "y/1", name="x", version="1")
    assert found(tmp_path) == ([], [PassedOver(copy, "its manifest has the name 'x' instead of 'y'")])


def test_older_versions_are_not_looked_at(tmp_path: Path) -> None:
    put(tmp_path, "x/9", name="y", version="9")
    put(tmp_path, "x/10", name="x", version="10")
    assert found(tmp_path) == (["x/10"], [])


def test_a_manifest_that_cannot_be_read_is_left_to_be_complained_about(tmp_path: Path) -> None:
    put(tmp_path, "x/1", name="x", version="1")
    (tmp_path / "x" / "2").mkdir()
    (tmp_path / "x" / "2" / "manifest.json").write_bytes(b"{")
    assert found(tmp_path) == (["x/2"], [])


@pytest.mark.parametrize("version", ["²", "1²", "x²y"])
def test_a_digit_that_is_no_number_is_a_letter(tmp_path: Path, version: str) -> None:
    put(tmp_path, "x/1", name="x", version="1")
    (tmp_path / "x" / version).mkdir()
    (tmp_path / "x" / version / "manifest.json").write_bytes(b"{")
    assert len(found(tmp_path)[0]) == 1


def test_what_file_systems_and_archives_leave_behind_is_not_seen(tmp_path: Path) -> None:
    put(tmp_path, "x/1", name="x", version="1")
    for folder in ("lost+found/1", "__MACOSX/1", "x/__MACOSX", ".git/1", "x/.hidden"):
        put(tmp_path, folder, name="other", version="1")
    (tmp_path / ".DS_Store").write_bytes(b"\0")
    (tmp_path / "README").write_bytes(b"\0")
    os.symlink("nowhere", tmp_path / "dangling")
    os.symlink("loop", tmp_path / "loop")
    assert found(tmp_path) == (["x/1"], [])


def test_links_are_followed(tmp_path: Path) -> None:
    put(tmp_path, "x/..2026_11_28/1", name="x", version="1")
    os.symlink("..2026_11_28", tmp_path / "x" / "..data")
    os.symlink("..data/1", tmp_path / "x" / "1")
    assert found(tmp_path) == (["x/1"], [])


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").mkdir()
    scan = os.scandir

    def refuse(folder: Path) -> object:
        if folder == tmp_path / "x":
            raise PermissionError(13, "Permission denied")
        return scan(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    assert found(tmp_path) == ([], [PassedOver(tmp_path / "x", "it cannot be read: Permission denied")])
