"""Promises about the tree as a whole: what the base install needs, what serving imports, how large files may be."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import seqserve

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("seqserve", "service", "training")
NOT_OURS = frozenset({"build", "dist", "data", "runs"})
MAX_FILE_BYTES = 60_000_000
MAX_LINES = 300
TRAINING_ONLY = ("torch", "onnx", "safetensors", "matplotlib", "seqserve.training")

IMPORT_EVERYTHING = """
import importlib, json, pkgutil, sys
for name, folder in (("seqserve", "seqserve"), ("seqserve.service", "service")):
    importlib.import_module(name)
    for module in pkgutil.walk_packages([folder], name + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
print(json.dumps(sorted(sys.modules)))
"""


def project() -> dict[str, object]:
    """The [project] table of pyproject.toml."""
    table: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return table


def is_ours(folder: Path) -> bool:
    """Whether a folder is part of the project: not ignored, not hidden (but .ci), not a virtual environment."""
    name = folder.name
    hidden = name.startswith((".", "__")) and name != ".ci"
    return not (hidden or name in NOT_OURS or name.endswith(".egg-info") or (folder / "pyvenv.cfg").exists())


def tree() -> Iterator[Path]:
    """Every file of the project."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if is_ours(Path(folder, name))]
        yield from (Path(folder, name) for name in files)


def requirement_names(requirements: list[str]) -> set[str]:
    """Distribution names of requirement lines, in lower case."""
    return {re.split(r"[^A-Za-z0-9._-]", line)[0].lower() for line in requirements}


def test_base_install_needs_nothing_of_training() -> None:
    names = requirement_names(project()["dependencies"])  # type: ignore[arg-type]
    assert {"flask", "gunicorn", "msgspec", "numpy", "onnxruntime", "prometheus-client"} <= names
    assert not names & {"torch", "onnx", "safetensors", "matplotlib", "pytest"}


def test_serving_imports_nothing_of_training() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EVERYTHING], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert {"seqserve.loading", "seqserve.graph", "seqserve.service.app"} <= loaded, (
        "the walk did not reach the modules it is about"
    )
    assert not loaded & set(TRAINING_ONLY)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("module", ["seqserve.graph", "seqserve.service.app"])
def test_the_runtime_reports_nothing_to_anyone(tmp_path: Path, module: str) -> None:
    """ONNX Runtime's wheels send telemetry and leave an identifier in the user's home unless told not to."""
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    code = f"import {module}, os; print(len(os.listdir('/proc/self/task')), flush=True); os._exit(0)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment | {"OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1"], f"importing {module} started threads"
    assert not list(tmp_path.rglob("*"))


def test_no_file_is_too_large_for_the_repository() -> None:
    large = {
        str(path.relative_to(ROOT)): path.stat().st_size for path in tree() if path.stat().st_size > MAX_FILE_BYTES
    }
    assert not large


def python_files() -> list[Path]:
    """Every Python file of the project."""
    return sorted(path for path in tree() if path.suffix == ".py")


def test_python_files_are_found() -> None:
    found = {str(path.relative_to(ROOT)) for path in python_files()}
    assert {"seqserve/loading.py", "service/app.py", "training/taggers/model.py", "tests/test_project.py"} <= found


def test_every_python_file_has_one_idea_or_is_two_files() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in python_files()
        if (lines := path.read_text("utf-8").count("\n")) > MAX_LINES
    }
    assert not long


def test_packages_ship_their_data_files() -> None:
    """What a package reads at run time must be named in package-data, or an installed copy lacks it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]
    missing = []
    for package in PACKAGES:
        shipped = {
            path
            for pattern in settings.get("seqserve." + package if package != "seqserve" else package, [])
            for path in (ROOT / package).glob(pattern)
        }
        missing += [
            str(path.relative_to(ROOT))
            for path in sorted((ROOT / package).rglob("*"))
            if path.is_file() and path.suffix not in {".py", ".pyc", ".md"} and path not in shipped
        ]
    assert not missing


def test_changelog_has_the_current_version() -> None:
    assert f"## [{seqserve.__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_licence_files_exist() -> None:
    assert all((ROOT / str(name)).is_file() for name in project()["license-files"])  # type: ignore[attr-defined]


LOCKED = {"serve.txt": (), "test.txt": ("train", "test", "parquet")}
UNLOCKED = frozenset({"torch"})
"""A CPU build and the registry's build have different checksums: installed by its pin, see CONTRIBUTING.md."""


def locked_versions(name: str) -> dict[str, list[str]]:
    """Versions of each distribution in a lock: more than one where they depend on the interpreter.

    Fails when a line is no pin followed by its checksums.
    """
    text = (ROOT / "requirements" / name).read_text("utf-8")
    assert "://" not in text, "a lock names no place to download from"
    entries = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace(" \\\n", " ").splitlines()
    found: dict[str, list[str]] = {}
    for entry in entries:
        matched = re.fullmatch(r"([a-z0-9._-]+)==(\S+)( ; [^\\]+?)?((?: +--hash=sha256:[0-9a-f]{64})+)", entry)
        assert matched, f"requirements/{name}: {entry[:80]}"
        found.setdefault(matched[1], []).append(matched[2])
    return found


@pytest.mark.parametrize("name", LOCKED)
def test_locks_hold_every_dependency_in_its_range(name: str) -> None:
    requirement = pytest.importorskip("packaging.requirements").Requirement
    extras = project()["optional-dependencies"]
    lines = [*project()["dependencies"], *(line for extra in LOCKED[name] for line in extras[extra])]  # type: ignore
    versions = locked_versions(name)
    for wanted in map(requirement, lines):
        if wanted.name in UNLOCKED:
            assert re.fullmatch(r"==[\d.]+", str(wanted.specifier)), f"{wanted} must be a pin"
            assert f'"{wanted.specifier}"'.replace("==", "") in (ROOT / "requirements/uv.toml").read_text("utf-8")
            continue
        assert wanted.name in versions, f"requirements/{name} lacks {wanted}"
        assert all(version in wanted.specifier for version in versions[wanted.name]), f"{wanted}: {versions}"


def test_locks_agree() -> None:
    serve, test = locked_versions("serve.txt"), locked_versions("test.txt")
    assert {name: test.get(name) for name in serve} == serve
    assert locked_versions("build.txt")["setuptools"] == test["setuptools"]


def test_the_build_lock_is_of_what_pyproject_builds_with() -> None:
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    assert (ROOT / "requirements" / "build.in").read_text("utf-8").split() == needed


def test_the_image_installs_by_hash_from_one_base() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["${BASE_IMAGE}"] * 2
    installs = re.findall(r"pip --python \S+ install (.*?)(?: \\)?$", text, re.MULTILINE)
    assert len(installs) == 3
    assert all("--require-hashes" in line or "--no-index --no-deps" in line for line in installs)
    assert "!requirements" in (ROOT / ".dockerignore").read_text("utf-8").split()


def test_the_builder_gets_what_the_image_copies() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    names = {name.rstrip("/") for line in copied for name in line.split()}
    assert {"pyproject.toml", "seqserve", "models"} <= names
    let_through = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text("utf-8").split()}
    assert names <= let_through
