"""Start a run in a new folder, or continue one from its last checkpoint."""

from pathlib import Path

from seqserve.training.checkpoints import CHECKPOINT, in_one_sentence, read_run_config, started_run
from seqserve.training.config import TrainingConfig
from seqserve.training.data_digests import check_digests, write_digests
from seqserve.training.kinds import kind_of


def fit(config: TrainingConfig, folder: Path) -> None:
    """Train from the start into a new run folder."""
    with in_one_sentence(folder):
        with started_run(folder, config):
            write_digests(folder, config)
            training = kind_of(config).part("task").training(config, folder)
            training.save()  # from here on the run does not need the one it started from
        training.run()


def resume(folder: Path) -> None:
    """Continue from the last checkpoint; the result is the same as without the interruption.

    Raises RunError for a file of the data that has changed.
    """
    with in_one_sentence(folder):
        config = read_run_config(folder)
        check_digests(folder, config)
        training = kind_of(config).part("task").training(config, folder)
        if (folder / CHECKPOINT).exists():
            training.restore()
        training.run()
