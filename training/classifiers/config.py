"""The configuration of one classifier of texts, read from TOML and checked on entry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from seqserve.entries import TokenizerName
from seqserve.training.config import ConfigError, LoopConfig, OptimizerConfig, ReaderConfig, check_training


@dataclass(frozen=True)
class LabelledFile:
    """One file of texts with labels: where it is, how it is written, which part of it counts."""

    file: str  # of a known data set ("sst2/train.tsv"), or a path of your own; plain, .gz or .xz
    format: Literal["tsv", "csv"] = "tsv"  # csv: the first line is a header; plain lines are one column of tsv
    text_column: int = 0
    label: Literal["column", "file", "final-mark"] = "column"
    # column: see label_column; file: every text has `file_label`; final-mark: the text's last character, taken off it
    label_column: int = 1
    file_label: str = ""
    map: dict[str, str] | None = None  # label in the file -> label; texts with others are left out; None keeps all
    part: tuple[float, float] = (0.0, 1.0)  # texts by hash, so that equal ones are never on two sides of a split
    distinct: bool = False  # repeated texts once
    weight: float = 1.0  # of this dev file's accuracy in the mean that chooses the epoch; 0: reported only

    def __post_init__(self) -> None:
        if (self.label == "file") != bool(self.file_label):
            raise ConfigError(f'file_label of {self.file} is needed for label = "file", and only there')
        if min(self.text_column, self.label_column) < 0:
            raise ConfigError(f"text_column and label_column of {self.file} count from 0")
        if len(self.part) != 2 or not 0.0 <= self.part[0] < self.part[1] <= 1.0:
            raise ConfigError(f"part = {list(self.part)} of {self.file} is no range within 0 to 1")


@dataclass(frozen=True)
class LabelledData:
    train: tuple[LabelledFile, ...]
    dev: tuple[LabelledFile, ...]  # the epoch with the best weighted mean of their accuracy is kept
    labels: tuple[str, ...]


@dataclass(frozen=True)
class ClassifierText:
    tokenization: TokenizerName = "seqserve-en-1"
    max_tokens: int = 512  # longer texts are cut in training and refused by the bundle


@dataclass(frozen=True)
class ClassifierAugment:
    """Share of the texts that an epoch sees in lower case, drawn anew each epoch."""

    lower: float = 0.0


@dataclass(frozen=True)
class ClassifierModelConfig(ReaderConfig):
    """What reads the text, and how its states become one vector; feed-forward layers come after that."""

    pooling: Literal["last", "middle", "mean", "max"] = "max"
    # last: where each direction ends; middle: where they meet; mean, max: over all tokens


@dataclass(frozen=True)
class ClassifierConfig:
    """One training of a classifier, whole."""

    name: str
    version: str
    description: str
    licence: str
    data: LabelledData
    task: Literal["classify"] = "classify"
    seed: int = 1
    languages: tuple[str, ...] = ("en",)
    attribution: tuple[str, ...] = ()
    text: ClassifierText = field(default_factory=ClassifierText)
    augment: ClassifierAugment = field(default_factory=ClassifierAugment)
    model: ClassifierModelConfig = field(default_factory=ClassifierModelConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    loop: LoopConfig = field(default_factory=LoopConfig)

    def __post_init__(self) -> None:
        check_training(self)
        labels = self.data.labels
        if not self.data.train or not self.data.dev or len(set(labels)) < 2 or len(set(labels)) != len(labels):
            raise ConfigError("data.train and data.dev need at least one file each, data.labels two different labels")
        if min(file.weight for file in self.data.dev) < 0 or not sum(file.weight for file in self.data.dev):
            raise ConfigError("data.dev needs weights of 0 or more, at least one of them above 0")
        if self.text.max_tokens < 1:
            raise ConfigError(f"text.max_tokens = {self.text.max_tokens} is below 1")
