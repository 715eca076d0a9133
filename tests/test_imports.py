"""The picture of the house, read from the source: training -> bundle <- service."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("training", "bundle", "service")
ARROWS = {("training", "bundle"), ("service", "bundle")}
TRAINING_ONLY = ("torch", "onnx", "safetensors", "matplotlib", "seqeval", "sacrebleu")
SERVICE_ONLY = ("flask", "werkzeug", "gunicorn", "prometheus_client")
REASONS = {
    ("bundle", "training"): "a bundle is opened where no training is installed",
    ("bundle", "service"): "a bundle knows nothing of who serves it",
    ("service", "training"): "the service is installed without torch",
    ("training", "service"): "models are trained without a server",
}


def imports_of(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and top-level name of every import, also those inside functions and for types only."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.split(".")[0]


def forbidden(package: str, imported: str) -> str | None:
    """Say why a package may not import this, or return None."""
    if imported in PACKAGES and imported != package and (package, imported) not in ARROWS:
        return f"{package}/ must not import {imported}/: {REASONS[package, imported]} (training -> bundle <- service)"
    if package != "training" and imported in TRAINING_ONLY:
        return f"{package}/ must not import {imported}: it belongs to the train extra, and the base install serves"
    if package != "service" and imported in SERVICE_ONLY:
        return f"{package}/ must not import {imported}: only service/ speaks HTTP"
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
        ("bundle", "from training.layers.crf import Crf", "training -> bundle <- service"),
        ("bundle", "def late():\n    import service.app", "training -> bundle <- service"),
        ("service", "import training", "training -> bundle <- service"),
        ("training", "from service import app", "training -> bundle <- service"),
        ("service", "import torch.nn as nn", "train extra"),
        ("bundle", "from flask import Flask", "only service/ speaks HTTP"),
    ],
    ids=lambda value: value if value in PACKAGES else None,
)
def test_a_wrong_import_is_seen(package: str, source: str, reason: str) -> None:
    reasons = [forbidden(package, imported) for _, imported in imports_of(source)]
    assert any(reason in (found or "") for found in reasons)


@pytest.mark.parametrize("package", ["training", "service"])
def test_both_ends_stand_on_the_bundle(package: str) -> None:
    imported = {
        name for path in (ROOT / package).rglob("*.py") for _, name in imports_of(path.read_text(encoding="utf-8"))
    }
    assert "bundle" in imported
