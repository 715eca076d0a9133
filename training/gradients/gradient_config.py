"""The configuration of `python -m training gradients`, read from TOML and checked on entry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from seqserve.entries import CellName
from seqserve.training.config import ConfigError, OptimizerConfig


@dataclass(frozen=True)
class GradientModelConfig:
    """Sizes of the one-layer models, the same for every cell."""

    embedding_dim: int = 32
    hidden_size: int = 64


@dataclass(frozen=True)
class GradientLoop:
    longest_distance: int = 50  # words between subject noun and verb; training mixes 1 to this
    train_sentences: int = 128_000  # of each cell; every cell sees the same ones in the same order
    test_sentences: int = 200  # at each distance
    batch_size: int = 32  # sentences, all of one distance
    verb_weight: float = 1.0  # of the verb's loss, where any other word's is 1; more: agreement is learned sooner
    threads: int = 1  # 0: torch's own choice; part of the result's identity


@dataclass(frozen=True)
class ExplosionConfig:
    """A training whose gradients explode, run without clipping, clipped by value, and clipped by norm.

    Recurrent weights are orthogonal times `gain`: with ReLU, what comes back through T steps grows up to gain ** T.
    """

    cell: CellName = "rnn-relu"
    gain: float = 1.8
    learning_rate: float = 0.1  # plain SGD
    num_steps: int = 100  # updates
    clip_value: float = 0.05
    clip_norm: float = 1.0


@dataclass(frozen=True)
class GradientsConfig:
    """One comparison of cells: gradients through time, agreement at a distance, clipping."""

    name: str
    task: Literal["gradients"] = "gradients"
    seed: int = 1
    cells: tuple[CellName, ...] = ("rnn", "gru-simplified", "gru", "gru-cudnn", "lstm", "lstm-peephole")
    model: GradientModelConfig = field(default_factory=GradientModelConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    loop: GradientLoop = field(default_factory=GradientLoop)
    explosion: ExplosionConfig = field(default_factory=ExplosionConfig)

    def __post_init__(self) -> None:
        for part, lowest, names in (
            ("model", 1, ("embedding_dim", "hidden_size")),
            ("loop", 1, ("longest_distance", "train_sentences", "test_sentences", "batch_size")),
            ("loop", 0, ("threads",)),
            ("explosion", 1, ("num_steps",)),
        ):
            for name in names:
                if (value := getattr(getattr(self, part), name)) < lowest:
                    raise ConfigError(f"{part}.{name} = {value} is below {lowest}")
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
