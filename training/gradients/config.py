"""The configuration of `seqserve train gradients`, read from TOML and checked on entry."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from seqserve.entries import CellName
from seqserve.training.config import ConfigError, OptimizerConfig, Threads, check_lowest, check_name, check_seed


@dataclass(frozen=True)
class GradientModelConfig:
    """Sizes of the one-layer models, the same for every cell."""

    embedding_dim: Annotated[int, "size of a word's vector"] = 32
    hidden_size: Annotated[int, "hidden units"] = 64


@dataclass(frozen=True)
class GradientLoop:
    """Sentences that every cell learns from, and those that it is tested on."""

    longest_distance: Annotated[int, "words between subject noun and verb; training mixes 1 to this"] = 50
    train_sentences: Annotated[int, "of each cell; every cell sees the same ones in the same order"] = 128_000
    test_sentences: Annotated[int, "at each distance"] = 200
    batch_size: Annotated[int, "sentences, all of one distance"] = 32
    verb_weight: Annotated[float, "of the verb's loss, where any other word's is 1"] = 1.0
    threads: Threads = 1


@dataclass(frozen=True)
class ExplosionConfig:
    """A training whose gradients explode, run without clipping, clipped by value, and clipped by norm.

    Recurrent weights are orthogonal times `gain`: with ReLU, the gradient through T steps grows up to gain ** T.
    """

    cell: Annotated[CellName, "recurrent cell"] = "rnn-relu"
    gain: Annotated[float, "factor of the orthogonal recurrent weights"] = 1.8
    learning_rate: Annotated[float, "of plain SGD"] = 0.1
    num_steps: Annotated[int, "updates"] = 100
    clip_value: Annotated[float, "largest size of each gradient, in the run clipped by value"] = 0.05
    clip_norm: Annotated[float, "largest norm of all gradients together, in the run clipped by norm"] = 1.0


@dataclass(frozen=True)
class GradientsConfig:
    """One comparison of cells: gradients through time, agreement at a distance, clipping."""

    name: Annotated[str, "of the comparison"]
    task: Annotated[Literal["gradients"], "the kind of run"] = "gradients"
    seed: Annotated[int, "of everything that is drawn"] = 1
    cells: Annotated[tuple[CellName, ...], "recurrent cells to compare"] = (
        *("rnn", "gru-simplified", "gru", "gru-cudnn", "lstm", "lstm-peephole"),
    )
    model: GradientModelConfig = field(default_factory=GradientModelConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    loop: GradientLoop = field(default_factory=GradientLoop)
    explosion: ExplosionConfig = field(default_factory=ExplosionConfig)

    def __post_init__(self) -> None:
        check_name("name", self.name)
        check_seed(self.seed)
        check_lowest(self.model, "model", 1, "embedding_dim", "hidden_size")
        check_lowest(self.loop, "loop", 1, "longest_distance", "train_sentences", "test_sentences", "batch_size")
        check_lowest(self.loop, "loop", 0, "threads")
        check_lowest(self.explosion, "explosion", 1, "num_steps")
        for name in ("gain", "learning_rate", "clip_value", "clip_norm"):
            if (size := getattr(self.explosion, name)) <= 0:
                raise ConfigError(f"explosion.{name} = {size} is not above 0")
        if self.loop.verb_weight <= 0:
            raise ConfigError(f"loop.verb_weight = {self.loop.verb_weight} is not above 0")
        if not self.cells or len(set(self.cells)) < len(self.cells):
            raise ConfigError(f"cells = {list(self.cells)} must hold one or more, each once")
        if self.optimizer.name == "nt-asgd":
            raise ConfigError('optimizer.name = "nt-asgd" is for language models')
        if not 0.0 <= self.optimizer.warmup < 1.0:
            raise ConfigError(f"optimizer.warmup = {self.optimizer.warmup} is not in [0, 1)")
