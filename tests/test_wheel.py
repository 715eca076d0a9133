"""The wheel: it holds one package, and its command runs beside foreign folders that have the names of ours."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("seqserve", "service", "training", "pyproject.toml", "setup.py", "README.md", "LICENSE", "NOTICE")
BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
FOREIGN = ("service", "training", "bundle")
TEXTS = "Where is it?\n\nI was here.\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel would put into site-packages."""
    pytest.importorskip("setuptools", minversion="77")
    source, wheels = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheels")
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(wheels)], cwd=source, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = wheels.glob("*.whl")
    folder = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A working directory with modules that must not be run."""
    for name in FOREIGN:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('the foreign one')\n", "utf-8")
    (tmp_path / "texts.txt").write_text(TEXTS, "utf-8")
    return tmp_path


def test_the_wheel_holds_one_package(installed: Path) -> None:
    folders = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert folders == {"seqserve"}
    assert (installed / "seqserve" / "py.typed").is_file()
    assert (installed / "seqserve" / "service" / "app.py").is_file()
    assert (installed / "seqserve" / "training" / "corpora.toml").is_file()


def test_the_command_is_the_front_door(installed: Path) -> None:
    (entry_points,) = installed.glob("*.dist-info/entry_points.txt")
    assert "seqserve = seqserve.cli:main" in entry_points.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "num_lines"),
    [
        (["classify", "texts.txt", "--format", "tsv"], 3),
        (["models"], 6),
        (["serve", "--help"], None),
        (["train", "corpora", "--help"], None),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_it_runs_beside_foreign_folders(
    installed: Path, foreign: Path, arguments: list[str], num_lines: int | None
) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": f"{foreign}{os.pathsep}{installed}",
        "SEQSERVE_MODELS": str(ROOT / "tests" / "fixtures" / "bundles"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "seqserve", *arguments],
        cwd=foreign,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert num_lines is None or done.stdout.count("\n") == num_lines
