"""`python -m training export`: the best weights of a run as a bundle."""

from __future__ import annotations

import datetime
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from seqserve.training.checkpoints import EPOCHS, MODEL, RunError, load_tensors, must_fit, read_run_config
from seqserve.training.classifiers.config import ClassifierConfig
from seqserve.training.classifiers.export import export_classifier_run
from seqserve.training.classifiers.export import training_files as classifier_files
from seqserve.training.config import Config
from seqserve.training.config_kinds import AnyConfig
from seqserve.training.export_sources import unshippable
from seqserve.training.language.config import LanguageConfig
from seqserve.training.language.export import export_language_run
from seqserve.training.language.export import training_files as language_files
from seqserve.training.taggers.export import export_tagger_run
from seqserve.training.taggers.export import training_files as tagger_files
from seqserve.training.transducers.config import TransducerConfig
from seqserve.training.transducers.export import export_transducer_run
from seqserve.training.transducers.export import training_files as transducer_files

_EXPORTS: dict[type, tuple[Any, Any]] = {
    Config: (export_tagger_run, tagger_files),
    LanguageConfig: (export_language_run, language_files),
    ClassifierConfig: (export_classifier_run, classifier_files),
    TransducerConfig: (export_transducer_run, transducer_files),
}
"""For each kind of configuration what writes its bundle, and which files its weights learned from."""


def export_run(folder: Path, models: Path, *, card: Path | None, replace: bool = False) -> Path:
    """Writes `models/NAME/VERSION` from a run folder and returns it.

    The card is the given Markdown file, or one written from the run. Raises RunError when the run has no finished
    epoch, or when the bundle is there already and `replace` was not asked for.
    """
    config = read_run_config(folder)
    state = load_tensors(folder / MODEL)
    target = models / config.name / config.version
    if target.exists() and not replace:
        raise RunError(f"{target}: is there already; raise the configuration's version or add --replace")
    with must_fit(folder / MODEL):
        best = best_epoch(folder, state["epoch"])
    text = card.read_text(encoding="utf-8") if card else None
    created = datetime.datetime.now(datetime.UTC).date().isoformat()
    curves = folder / "curves.png"
    with tempfile.TemporaryDirectory(dir=_made(target.parent), prefix=f".{target.name}-new-") as temporary:
        new = Path(temporary) / target.name  # written, loaded and checked there
        write_bundle, _ = _EXPORTS[type(config)]
        with must_fit(folder / MODEL):
            write_bundle(new, config, state, best, readme=text, created=created, curves=curves)
        if barred := unshippable(config, training_data(config)):
            print(f"{target}: for measuring only, it may not be given away: {', '.join(barred)}", file=sys.stderr)
        if target.exists():
            target.rename(Path(temporary) / "replaced")
        new.rename(target)
    return target


def training_data(config: AnyConfig) -> list[str]:
    """The files that the weights learned from, as the configuration names them."""
    _, files_of = _EXPORTS[type(config)]
    files: list[str] = files_of(config)
    return files


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def best_epoch(folder: Path, epoch: int) -> dict[str, Any]:
    """The line of `epochs.jsonl` that belongs to the saved weights."""
    lines = [json.loads(line) for line in (folder / EPOCHS).read_text(encoding="utf-8").splitlines()]
    for line in lines:
        if line["epoch"] == epoch:
            return dict(line)
    raise RunError(f"{folder / EPOCHS}: no line of epoch {epoch}, which {MODEL} is from")
