"""Folders of models: those that are named, and those where a user keeps or installs them."""

import os
import re
from pathlib import Path

import msgspec
import pytest

from seqserve.errors import BundleError
from seqserve.finding import PassedOver
from seqserve.locations import find_models, usual_folders
from seqserve.manifest import read_manifest, write_manifest
from tests.seqserve.tiny_bundle import TINY


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home and a working directory, both empty."""
    for name in ("home", "here"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    return tmp_path / "home"


def put(folder: Path, name: str, version: str = "1") -> Path:
    made = folder / name / version
    made.mkdir(parents=True)
    write_manifest(made, msgspec.structs.replace(read_manifest(TINY), name=name, version=version))
    return made


def test_folders_are_looked_at_in_their_order(tmp_path: Path) -> None:
    first, second = put(tmp_path / "b", "x"), put(tmp_path / "a", "w")
    assert [*find_models([tmp_path / "b", tmp_path / "a"]).values()] == [first, second]


def test_a_bundle_may_be_named_beside_a_folder(tmp_path: Path) -> None:
    bundle, other = put(tmp_path / "a", "x").rename(tmp_path / "any"), put(tmp_path / "b", "y")
    assert [*find_models([bundle, tmp_path / "b"]).values()] == [bundle, other]


def test_a_folder_may_hold_the_versions_of_one_model(tmp_path: Path) -> None:
    put(tmp_path / "a", "x", "9")
    assert find_models([tmp_path / "a" / "x"]) == {"x": tmp_path / "a" / "x" / "9"}


def test_a_folder_of_versions_may_be_the_working_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(put(tmp_path / "a", "x").parent)
    assert find_models([Path(".")]) == {"x": Path("1")}


def test_a_usual_folder_that_is_passed_over_is_named() -> None:
    put(Path("models"), "x", "2").rename(Path("models/x/12"))
    with pytest.raises(BundleError, match="models/x/12 is passed over: its manifest has the version '2' instead of"):
        find_models()


def test_a_model_in_two_folders_is_refused(tmp_path: Path) -> None:
    first, second = put(tmp_path / "a", "x"), put(tmp_path / "b", "x", "2")
    with pytest.raises(BundleError) as caught:
        find_models([tmp_path / "a", tmp_path / "b"])
    assert str(caught.value) == (
        f"{second}: the model 'x' is also in {first}; name one folder of models (models=, --models or SEQSERVE_MODELS)"
    )


def test_a_folder_may_be_named_twice(tmp_path: Path) -> None:
    bundle = put(tmp_path / "a", "x")
    assert [*find_models([tmp_path / "a", tmp_path / "a"]).values()] == [bundle]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("missing", "cannot be read: No such file or directory"),
        ("empty", "holds no bundle, none of <name>/<version>/manifest.json is there"),
        ("file", "cannot be read: Not a directory"),
    ],
)
def test_a_named_folder_without_models_is_refused(tmp_path: Path, kind: str, reason: str) -> None:
    put(tmp_path / "a", "x")
    wrong = tmp_path / kind
    if kind == "empty":
        wrong.mkdir()
    elif kind == "file":
        wrong.touch()
    with pytest.raises(BundleError, match=rf"\A{re.escape(str(wrong))}: {reason}\Z"):
        find_models([tmp_path / "a", wrong])


def test_a_folder_whose_manifest_disagrees_is_told_and_an_older_version_taken(tmp_path: Path) -> None:
    bundle = put(tmp_path / "a", "x", "10")
    copy = put(tmp_path / "a", "x", "2").rename(tmp_path / "a" / "x" / "12")
    passed_over: list[PassedOver] = []
    assert [*find_models([tmp_path / "a"], pass_over=passed_over.append).values()] == [bundle]
    assert passed_over == [PassedOver(copy, "its manifest has the version '2' instead of '12'")]


def test_a_folder_whose_only_manifest_disagrees_is_refused_with_the_reason(tmp_path: Path) -> None:
    copy = put(tmp_path / "a", "x", "2").rename(tmp_path / "a" / "x" / "12")
    reason = f"{copy} is passed over: its manifest has the version '2' instead of '12'"
    with pytest.raises(
        BundleError, match=rf"\A{re.escape(str(tmp_path / 'a'))}: holds no bundle; {re.escape(reason)}\Z"
    ):
        find_models([tmp_path / "a"])


def test_without_a_named_folder_the_usual_ones_are_looked_at(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(Path("models"), "x")
    own = put(home / ".local" / "share" / "seqserve" / "models", "y")
    package = install(tmp_path / "site", "seqserve_test_models", monkeypatch)
    installed = put(package, "z")
    assert [*find_models().values()] == [Path("models/x/1"), own, installed]


def test_a_user_may_keep_data_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert tmp_path / "data" / "seqserve" / "models" in usual_folders()


def test_a_data_package_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = install(tmp_path / "site", "seqserve_test_broken", monkeypatch)
    (package / "__init__.py").write_text("raise RuntimeError", "utf-8")
    bundle = put(package, "x")
    assert [*find_models().values()] == [bundle]


def test_a_data_package_that_is_half_gone_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = install(tmp_path / "site", "seqserve_test_gone", monkeypatch)
    os.rename(package, tmp_path / "elsewhere")
    put(Path("models"), "x")
    assert [*find_models().values()] == [Path("models/x/1")]


def test_no_model_at_all_says_where_models_come_from(home: Path) -> None:
    with pytest.raises(BundleError) as caught:
        find_models()
    text = str(caught.value)
    assert text.startswith(f"no model is in ./models, {home}/.local/share/seqserve/models")
    assert all(
        word in text for word in ("data package", "seqserve train export", "(models=, --models or SEQSERVE_MODELS)")
    )


def install(site: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a data package where Python finds it; returns its folder."""
    package, info = site / name, site / f"{name}-1.dist-info"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[seqserve_models]\n{name} = {name}\n", "utf-8")
    monkeypatch.syspath_prepend(site)
    return package
