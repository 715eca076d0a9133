"""The configuration of one classifier of texts, read from TOML and checked on entry."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from seqserve.entries import TokenizerName
from seqserve.training.config import (
    ConfigError,
    ReaderConfig,
    ReaderLoop,
    TrainingConfig,
    check_dev_weights,
    check_labels,
    check_lowest,
    check_training,
)
from seqserve.training.reading.labelled_text import LabelledFile


@dataclass(frozen=True)
class LabelledData:
    """Files and labels."""

    train: Annotated[tuple[LabelledFile, ...], "files that the classifier learns from"]
    dev: Annotated[tuple[LabelledFile, ...], "the epoch with the best weighted mean of their accuracy is kept"]
    labels: Annotated[tuple[str, ...], "labels of texts"]


@dataclass(frozen=True)
class ClassifierText:
    """How a text becomes tokens."""

    tokenization: Annotated[TokenizerName, "the tokeniser"] = "seqserve-en-1"
    max_tokens: Annotated[int, "longer texts are cut in training and refused by the bundle"] = 512


@dataclass(frozen=True)
class ClassifierAugment:
    """Shares of the texts that are changed, drawn anew each epoch."""

    lower: Annotated[float, "in lower case"] = 0.0


@dataclass(frozen=True)
class ClassifierModelConfig(ReaderConfig):
    """Layers that read the text, and how their states become one vector, which feed-forward layers read."""

    pooling: Annotated[
        Literal["last", "middle", "mean", "max"],
        "last: state at each direction's end; middle: states where the directions meet; mean, max: over all tokens",
    ] = "max"


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig(TrainingConfig):
    """One training of a classifier."""

    task: Annotated[Literal["classify"], "the kind of model"] = "classify"
    data: LabelledData
    text: ClassifierText = field(default_factory=ClassifierText)
    augment: ClassifierAugment = field(default_factory=ClassifierAugment)
    model: ClassifierModelConfig = field(default_factory=ClassifierModelConfig)
    loop: ReaderLoop = field(default_factory=ReaderLoop)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_training(self)
        check_labels(self.data.labels, 2)
        if not self.data.train or not self.data.dev:
            raise ConfigError("data.train and data.dev need at least one file each")
        check_dev_weights([file.weight for file in self.data.dev])
        check_lowest(self.text, "text", 1, "max_tokens")
