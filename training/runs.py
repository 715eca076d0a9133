"""One run, whatever it trains: begun in a new folder, or gone on with where its last checkpoint stands."""

from pathlib import Path

from seqserve.training.checkpoints import CHECKPOINT, in_one_sentence, read_run_config, started_run
from seqserve.training.config import TrainingConfig
from seqserve.training.kinds import kind_of


def fit(config: TrainingConfig, folder: Path) -> None:
    """Train from the start into a new run folder."""
    with in_one_sentence(folder):
        with started_run(folder, config):
            training = kind_of(config).part("task").training(config, folder)
            training.save()  # a run that starts from another needs that one no longer
        training.run()


def resume(folder: Path) -> None:
    """Go on where the last checkpoint stands; the end is the same as without the interruption."""
    with in_one_sentence(folder):
        config = read_run_config(folder)
        training = kind_of(config).part("task").training(config, folder)
        if (folder / CHECKPOINT).exists():
            training.restore()
        training.run()
