"""Bundles read without a session, and opened from what was read."""

from pathlib import Path

import pytest

from seqserve.graph import Graph
from seqserve.kinds import kind_of
from seqserve.loading import load_bundle
from seqserve.manifest import read_manifest

BUNDLES = Path(__file__).resolve().parent.parent / "fixtures" / "bundles"
FOLDERS = sorted(BUNDLES.glob("*/1"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_parts_are_read_without_a_session(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_never(*arguments: object, **options: object) -> Graph:
        raise AssertionError("a graph was opened")

    monkeypatch.setattr(Graph, "open", open_never)
    parts = kind_of(read_manifest(folder)).read_parts(folder, read_manifest(folder))
    assert parts.values["manifest"] == read_manifest(folder)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_a_bundle_opened_from_parts_is_the_loaded_one(folder: Path) -> None:
    loaded = load_bundle(folder)
    parts = kind_of(loaded.manifest).read_parts(folder, loaded.manifest).with_reproducible(False)
    opened = parts.open(folder)
    assert type(opened) is type(loaded)
    assert (opened.manifest, opened.reproducible, loaded.reproducible) == (loaded.manifest, False, True)
