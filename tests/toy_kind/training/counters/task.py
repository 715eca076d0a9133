"""A counter as a task: the lines of a file in, the weight of a word out."""

from dataclasses import dataclass
from pathlib import Path

from seqserve.training.checkpoints import CHECKPOINT, MODEL, load_tensors, save_tensors, write_epochs
from seqserve.training.counters.config import CounterConfig


@dataclass
class CounterTraining:
    """A training that ends after one epoch."""

    config: CounterConfig
    folder: Path
    weight: int = 0

    def save(self) -> None:
        """Write a checkpoint."""
        save_tensors(self.folder / CHECKPOINT, {"weight": self.weight})

    def restore(self) -> None:
        """Read the checkpoint."""
        self.weight = load_tensors(self.folder / CHECKPOINT)["weight"]

    def run(self) -> None:
        """Train to the end."""
        text = Path(self.config.data.train).read_text(encoding="utf-8")
        self.weight = len(text.splitlines())
        save_tensors(self.folder / MODEL, {"weight": self.weight, "epoch": 1})
        write_epochs(self.folder, [{"epoch": 1}])


def training(config: CounterConfig, folder: Path) -> CounterTraining:
    """Return a training at its start."""
    return CounterTraining(config, folder)
