"""One run, whatever it trains: begun in a new folder, or gone on with where its last checkpoint stands."""

from __future__ import annotations

from pathlib import Path

from seqserve.training.checkpoints import CHECKPOINT, read_run_config, start_run
from seqserve.training.config_kinds import AnyConfig
from seqserve.training.language.config import LanguageConfig
from seqserve.training.language.loop import LanguageTraining
from seqserve.training.loop import Training
from seqserve.training.tasks import build_task


def fit(config: AnyConfig, folder: Path) -> None:
    """Trains from the start into a new run folder."""
    start_run(folder, config)
    training = _training_of(config, folder)
    training.save()  # a run that starts from another needs that one no longer
    training.run()


def resume(folder: Path) -> None:
    """Goes on where the last checkpoint stands; the end is the same as without the interruption."""
    training = _training_of(read_run_config(folder), folder)
    if (folder / CHECKPOINT).exists():
        training.restore()
    training.run()


def _training_of(config: AnyConfig, folder: Path) -> Training | LanguageTraining:
    if isinstance(config, LanguageConfig):
        return LanguageTraining(config, folder)
    return Training(config, folder, build_task)
