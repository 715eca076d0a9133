"""The architecture, read from the source: training -> seqserve <- service, and no circle of files."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("training", "seqserve", "service")
ARROWS = {("training", "seqserve"), ("service", "seqserve")}
TRAINING_ONLY = ("torch", "onnx", "safetensors", "matplotlib", "seqeval", "sacrebleu")
SERVICE_ONLY = ("flask", "werkzeug", "gunicorn", "gevent", "httptools", "prometheus_client")
REASONS = {
    ("seqserve", "training"): "a bundle is opened where no training is installed",
    ("seqserve", "service"): "the library answers without a server",
    ("service", "training"): "the service is installed without torch",
    ("training", "service"): "models are trained without a server",
}


def imports_of(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and full name of every import, also those inside functions and for types only."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def package_of(imported: str) -> str:
    """Return the folder that an import reads: one of ours, or the top-level name of another distribution."""
    below = re.match(r"seqserve\.(service|training)\b", imported)
    return below[1] if below else imported.split(".")[0]


def forbidden(package: str, imported: str) -> str | None:
    """Say why a package may not import this, or return None."""
    name = package_of(imported)
    if name in ("service", "training") and not imported.startswith("seqserve."):
        return f"{package}/ must import seqserve.{name}: a foreign {name}/ may lie on the path"
    if name in PACKAGES and name != package and (package, name) not in ARROWS:
        return f"{package}/ must not import {name}/: {REASONS[package, name]} (training -> seqserve <- service)"
    if package != "training" and name in TRAINING_ONLY:
        return f"{package}/ must not import {name}: it belongs to the train extra, and the base install serves"
    if package != "service" and name in SERVICE_ONLY:
        return f"{package}/ must not import {name}: only service/ speaks HTTP"
    return None


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_follow_the_arrows(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files, f"{package}/ has no Python files, so this test reads nothing"
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {reason}"
        for path in files
        for line, imported in imports_of(path.read_text(encoding="utf-8"))
        if (reason := forbidden(package, imported))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("package", "source", "reason"),
    [
        ("seqserve", "from seqserve.training.layers.crf import Crf", "training -> seqserve <- service"),
        ("seqserve", "def late():\n    import seqserve.service.app", "training -> seqserve <- service"),
        ("service", "import seqserve.training", "training -> seqserve <- service"),
        ("training", "from seqserve.service import app", "training -> seqserve <- service"),
        ("service", "from service import app", "a foreign service/"),
        ("service", "import torch.nn as nn", "train extra"),
        ("seqserve", "from flask import Flask", "only service/ speaks HTTP"),
    ],
    ids=lambda value: value if value in PACKAGES else None,
)
def test_a_wrong_import_is_seen(package: str, source: str, reason: str) -> None:
    reasons = [forbidden(package, imported) for _, imported in imports_of(source)]
    assert any(reason in (found or "") for found in reasons)


@pytest.mark.parametrize("package", ["training", "service"])
def test_both_ends_stand_on_the_library(package: str) -> None:
    imported = {
        package_of(name)
        for path in (ROOT / package).rglob("*.py")
        for _, name in imports_of(path.read_text(encoding="utf-8"))
    }
    assert "seqserve" in imported


def kinds_of_training() -> set[str]:
    """Return the folders of training/ that hold one kind of model each."""
    return {path.parent.name for path in (ROOT / "training").glob("*/evaluate.py")}


@pytest.mark.parametrize("floor", ["reading", "layers", "export"])
def test_what_all_kinds_share_knows_none_of_them(floor: str) -> None:
    kinds = kinds_of_training()
    assert len(kinds) >= 4
    files = sorted((ROOT / "training" / floor).rglob("*.py"))
    assert files
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: imports {imported}; training/{floor}/ stands below the kinds"
        for path in files
        for line, imported in imports_of(path.read_text(encoding="utf-8"))
        if imported.startswith("seqserve.training.") and imported.split(".")[2] in kinds
    ]
    assert not wrong, "\n".join(wrong)


def modules() -> dict[str, Path]:
    """Return every module of the three packages by its import name."""
    found = {}
    for package in PACKAGES:
        prefix = "" if package == "seqserve" else "seqserve."
        for path in sorted((ROOT / package).rglob("*.py")):
            name = prefix + ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Return the modules of a circle of imports in order; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_files_import_each_other_in_a_circle() -> None:
    """Imports inside functions and for types only count too: they hide a circle, and do not take it away."""
    paths = modules()
    graph: dict[str, set[str]] = {}
    for name, path in paths.items():
        imported = {found for _, found in imports_of(path.read_text(encoding="utf-8"))}
        named = {found if found in paths else found.rpartition(".")[0] for found in imported}
        graph[name] = (named & paths.keys()) - {name}
    assert sum(map(len, graph.values())) > 500, "the walk did not find the imports"
    assert not (found := circle(graph)), " -> ".join(found)


def test_a_circle_is_seen() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert not circle({"a": {"b", "c"}, "b": {"c"}})
