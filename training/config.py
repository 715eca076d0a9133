"""The configuration of one training, read from TOML and checked on entry."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

from seqserve.entries import CellName
from seqserve.errors import SeqserveError


class ConfigError(SeqserveError):
    """A configuration that cannot be used; the sentence names the file and the key."""


@dataclass(frozen=True)
class CorpusConfig:
    """One file of sentences with tags: where it is, which columns count, which types are kept."""

    file: str  # of a known data set ("uner_ewt/dev.conll"), or a path of your own
    format: Literal["conll", "splice"] = "conll"  # splice: UCI's splice junctions, a base a token
    part: tuple[float, float] = (0.0, 1.0)  # splice: sequences by hash
    token_column: int = 0
    tag_column: int = -1
    map: dict[str, str] | None = None  # type in the file -> label; other types become O; None keeps all
    case: Literal["as-is", "lower", "upper"] = "as-is"
    repeat: int = 1  # how often an epoch sees this training file
    weight: float = 1.0  # of this dev file's F1 in the mean that chooses the epoch; 0: reported only


@dataclass(frozen=True)
class DataConfig:
    train: tuple[CorpusConfig, ...]
    dev: tuple[CorpusConfig, ...]  # the epoch with the best weighted mean of their span F1 is kept
    labels: tuple[str, ...]


@dataclass(frozen=True)
class AugmentConfig:
    """Share of the sentences that an epoch sees changed, drawn anew each epoch."""

    lower: float = 0.0
    upper: float = 0.0
    no_final_punctuation: float = 0.0
    swap_mentions: float = 0.0  # mentions replaced by another of the same label and corpus


@dataclass(frozen=True)
class WordsConfig:
    vectors: tuple[
        str, ...
    ] = ()  # known data sets, own paths, or package:NAME (see `seqserve.training.reading.vectors`)
    projection_dim: int = 0  # 0: frozen vectors enter as they are
    trained_dim: int = 50  # 0: no trained word embedding
    min_count: int = 2  # rarer words share <UNK>


@dataclass(frozen=True)
class CharactersConfig:
    kind: Literal["cnn", "lstm", "none"] = "cnn"
    embedding_dim: int = 32
    size: int = 64  # filters, or hidden units of each direction
    width: int = 3
    max_word_chars: int = 32
    min_count: int = 3


@dataclass(frozen=True)
class DropoutConfig:
    """Probabilities; `locked` masks are drawn once per sentence, not per position."""

    input: float = 0.4
    hidden: float = 0.4
    output: float = 0.4
    recurrent: float = 0.0  # on the hidden-to-hidden weights, one mask per batch
    word: float = 0.05  # all word features of a token
    unknown: float = 0.15  # the trained word embedding only: <UNK> in its place


@dataclass(frozen=True)
class ReaderConfig:
    """What reads a sentence, whatever is then said of it."""

    cell: CellName = "lstm"
    hidden_size: int = 256  # per direction
    num_layers: int = 2
    bidirectional: bool = True
    feed_forward: tuple[int, ...] = ()  # sizes of relu layers on top, without connections over time
    words: WordsConfig = field(default_factory=WordsConfig)
    characters: CharactersConfig = field(default_factory=CharactersConfig)
    dropout: DropoutConfig = field(default_factory=DropoutConfig)

    def __post_init__(self) -> None:
        for name, count in {
            "model.hidden_size": self.hidden_size,
            "model.num_layers": self.num_layers,
            "model.characters.max_word_chars": self.characters.max_word_chars,
            **{f"model.feed_forward[{i}]": size for i, size in enumerate(self.feed_forward)},
        }.items():
            if count < 1:
                raise ConfigError(f"{name} = {count} is below 1")
        if self.characters.kind == "cnn" and self.characters.width % 2 == 0:
            raise ConfigError(f"model.characters.width = {self.characters.width} is even; a filter has a centre")
        if not self.words.vectors and not self.words.trained_dim and self.characters.kind == "none":
            raise ConfigError("model.words and model.characters leave the model without any input")


@dataclass(frozen=True)
class ModelConfig(ReaderConfig):
    """A tagger: what reads the sentence, and how its spans are written as tags."""

    scheme: Literal["BIO", "BIOES"] = "BIOES"


@dataclass(frozen=True)
class OptimizerConfig:
    name: Literal["adam", "adamw", "sgd", "nt-asgd"] = "adamw"  # nt-asgd: language models only
    learning_rate: float = 2e-3
    momentum: float = 0.0  # sgd, nt-asgd
    beta1: float = 0.9  # adam, adamw
    beta2: float = 0.999
    fused: bool = False  # adam, adamw: one pass over memory a step; part of the result's identity
    weight_decay: float = 0.0
    schedule: Literal["one-cycle", "constant", "inverse-decay"] = "one-cycle"
    warmup: float = 0.25  # share of all steps (one-cycle)
    decay: float = 0.05  # inverse-decay: learning_rate / (1 + decay * epoch)
    clip_norm: float = 5.0  # 0: off
    clip_value: float = 0.0  # 0: off


@dataclass(frozen=True)
class LoopConfig:
    epochs: int = 12
    batch_size: int = 32  # sentences
    patience: int = 0  # epochs without a better dev score before stopping; 0: never
    keep: Literal["best", "last"] = "best"  # which epoch's weights: the best on dev, or the last, chosen by nothing
    average_decay: float = 0.0  # exponential moving average of the weights; 0: off
    precision: Literal["float32", "bf16"] = "float32"
    threads: int = 0  # 0: torch's own choice; part of the result's identity
    checkpoint_every_s: float = 60.0


@dataclass(frozen=True)
class Config:
    """One training, whole."""

    name: str
    version: str
    description: str
    licence: str
    data: DataConfig
    task: Literal["tag"] = "tag"
    seed: int = 1
    languages: tuple[str, ...] = ("en",)
    attribution: tuple[str, ...] = ()
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    loop: LoopConfig = field(default_factory=LoopConfig)

    def __post_init__(self) -> None:
        check_training(self)
        for corpus in (*self.data.train, *self.data.dev):
            if corpus.format == "conll" and tuple(corpus.part) != (0.0, 1.0):
                raise ConfigError(f'part = {list(corpus.part)} of {corpus.file} needs format = "splice"')
            if len(corpus.part) != 2 or not 0.0 <= corpus.part[0] < corpus.part[1] <= 1.0:
                raise ConfigError(f"part = {list(corpus.part)} of {corpus.file} is no range within 0 to 1")
        if not self.data.train or not self.data.dev or not self.data.labels:
            raise ConfigError("data.train, data.dev and data.labels need at least one entry each")
        if min(corpus.weight for corpus in self.data.dev) < 0 or not sum(corpus.weight for corpus in self.data.dev):
            raise ConfigError("data.dev needs weights of 0 or more, at least one of them above 0")


def check_training(config: Any) -> None:
    """Raise ConfigError, naming the key, for what no training by epochs can use."""
    shares = {f"model.dropout.{name}": value for name, value in dataclasses.asdict(config.model.dropout).items()}
    if hasattr(config, "augment"):
        shares |= {f"augment.{name}": value for name, value in dataclasses.asdict(config.augment).items()}
    shares |= {"loop.average_decay": config.loop.average_decay, "optimizer.warmup": config.optimizer.warmup}
    for name, value in shares.items():
        if not 0.0 <= value < 1.0:
            raise ConfigError(f"{name} = {value} is not in [0, 1)")
    if config.loop.keep == "last" and config.loop.patience:
        raise ConfigError('loop.patience stops by dev and loop.keep = "last" does not look at it: one of them')
    for name, count in {"loop.epochs": config.loop.epochs, "loop.batch_size": config.loop.batch_size}.items():
        if count < 1:
            raise ConfigError(f"{name} = {count} is below 1")
    if config.optimizer.name == "nt-asgd":
        raise ConfigError('optimizer.name = "nt-asgd" is for language models')
