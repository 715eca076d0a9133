"""What a check of a folder finds."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.faults.models_folder import add_version, flip_a_byte, make_models_folder
from seqserve.errors import BundleError
from seqserve.manifest import read_manifest, sha256_of
from seqserve.service.engine import checks
from seqserve.service.engine.checks import check_bundles, stamps_of
from seqserve.service.engine.reports import BundleReport, Checking, Message, Skipped
from tests.service.conftest import BUNDLES


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return make_models_folder(tmp_path / "models", BUNDLES, ["tiny-ner", "tiny-char-lm"])


def check(models: Path, *, provider: str = "cpu", known: Sequence[BundleReport] = ()) -> list[Message]:
    return list(check_bundles([models], provider=provider, known=known))


def reports(models: Path) -> list[BundleReport]:
    return [message for message in check(models) if isinstance(message, BundleReport)]


def test_each_bundle_is_announced_and_reported(models: Path) -> None:
    folder = models / "tiny-ner" / "1"
    begun, first, _, report = check(models)
    assert begun == Checking(os.fsencode(models / "tiny-char-lm" / "1"))
    assert isinstance(first, BundleReport)
    assert report == BundleReport(
        folder=os.fsencode(folder),
        name="tiny-ner",
        version="1",
        task="tag",
        manifest_sha256=sha256_of(folder / "manifest.json"),
        reproducible=True,
        stamps=stamps_of(folder, read_manifest(folder)),
    )
    assert len(set(report.stamps)) == 3


def test_one_bundle_may_have_any_folder(models: Path) -> None:
    folder = models / "tiny-ner" / "1"
    moved = folder.rename(models / os.fsdecode(b"\xff"))
    (_, report) = check(moved, provider="cuda")
    assert isinstance(report, BundleReport)
    assert (report.folder, report.path) == (os.fsencode(models) + b"/\xff", moved)


def test_a_folder_that_is_passed_over_is_told(models: Path) -> None:
    (models / "tiny-ner").rename(models / "other")
    told = check(models)[0]
    reason = "its manifest has the name 'tiny-ner' instead of 'other'"
    assert told == Skipped(os.fsencode(models / "other" / "1"), reason)
    assert [report.name for report in reports(models)] == ["tiny-char-lm"]


def test_nothing_to_serve_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="holds no bundle"):
        check(tmp_path)


def test_a_bundle_that_is_not_sound_is_an_error(models: Path) -> None:
    add_version(models, "tiny-ner", "2", spoil=flip_a_byte)
    with pytest.raises(BundleError, match=r"tiny-ner/2/weights\.safetensors: wrong checksum"):
        check(models)


def test_known_bundles_are_opened_again_only_when_they_have_changed(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = reports(models)
    opened: list[Path] = []

    def note(folder: Path, manifest: object) -> object:
        opened.append(folder)
        return next(report for report in known if report.path.parent == folder.parent)

    monkeypatch.setattr(checks, "open_bundle", note)
    assert [message for message in check(models, known=known) if isinstance(message, BundleReport)] == known
    assert opened == []
    os.utime(models / "tiny-ner" / "1" / "weights.safetensors")
    newer = add_version(models, "tiny-char-lm", "2")
    check(models, known=known)
    assert opened == [newer, models / "tiny-ner" / "1"]


def test_on_another_provider_only_files_are_verified(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "open_bundle", None)
    assert len(check(models, provider="cuda")) == 4
    add_version(models, "tiny-ner", "2", spoil=flip_a_byte)
    with pytest.raises(BundleError, match="wrong checksum"):
        check(models, provider="cuda")


def test_a_manifest_that_changes_under_the_check_is_an_error(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verify = checks.verify_files

    def change(folder: Path, manifest: object) -> None:
        verify(folder, manifest)  # type: ignore[arg-type]
        with (folder / "manifest.json").open("ab") as file:
            file.write(b"\n")

    monkeypatch.setattr(checks, "verify_files", change)
    with pytest.raises(BundleError, match="changed while it was checked"):
        check(models)
