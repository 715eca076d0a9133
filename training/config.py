"""Tables that the configurations of all kinds share, read from TOML and checked on entry.

`Annotated` carries the meaning of a key: `seqserve.training.reference` writes docs/configuration.md from it.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, get_args

import msgspec

from seqserve.entries import CellName, LookupStep, Name
from seqserve.errors import SeqserveError
from seqserve.vocabulary.tokens import FIRST_ID


class ConfigError(SeqserveError):
    """A configuration that cannot be used; the sentence names the file and the key."""


IS_PATH = object()
"""Marks a string that `load_config` reads as relative to the folder of the TOML file."""

IS_RUN = object()
"""Marks a string that `load_config` reads as relative to the working directory, where `fit` makes its run folders."""

FilePath = Annotated[str, IS_PATH]
"""A file of a known data set below the data folder (`NAME/...`), or a file of the user's own."""

Threads = Annotated[int, "cores to use; results depend on it; 0: all, which is slower than 1 beside other work"]


@dataclass(frozen=True)
class WordsConfig:
    """Features of whole words."""

    vectors: Annotated[
        tuple[FilePath, ...], "pretrained vectors: known data sets, own files or folders, `package:NAME`"
    ] = ()
    projection_dim: Annotated[int, "size of a linear layer over the frozen vectors; 0: no such layer"] = 0
    trained_dim: Annotated[int, "size of the trained word embedding; 0: none"] = 50
    min_count: Annotated[int, "rarer words share <UNK>"] = 2


@dataclass(frozen=True)
class CharactersConfig:
    """Features from the characters of a word."""

    kind: Annotated[Literal["cnn", "lstm", "none"], "convolution, recurrent layer, or neither"] = "cnn"
    embedding_dim: Annotated[int, "size of a character's vector"] = 32
    size: Annotated[int, "filters, or hidden units of each direction"] = 64
    width: Annotated[int, "characters that a filter covers; odd"] = 3
    max_word_chars: Annotated[int, "longer words are cut"] = 32
    min_count: Annotated[int, "rarer characters share one id"] = 3


@dataclass(frozen=True)
class DropoutConfig:
    """Probabilities; masks of input, hidden and output are drawn once per sentence, not per position."""

    input: Annotated[float, "before the first recurrent layer"] = 0.4
    hidden: Annotated[float, "between recurrent layers"] = 0.4
    output: Annotated[float, "after the last recurrent layer"] = 0.4
    recurrent: Annotated[float, "of the hidden-to-hidden weights, one mask per batch"] = 0.0
    word: Annotated[float, "of all word features of a token"] = 0.05
    unknown: Annotated[float, "of the trained word embedding only: <UNK> in its place"] = 0.15


@dataclass(frozen=True)
class ReaderConfig:
    """The layers that read a sentence."""

    cell: Annotated[CellName, "recurrent cell"] = "lstm"
    hidden_size: Annotated[int, "hidden units of each direction"] = 256
    num_layers: Annotated[int, "recurrent layers"] = 2
    bidirectional: Annotated[bool, "read the sentence in both directions"] = True
    feed_forward: Annotated[tuple[int, ...], "sizes of relu layers after the recurrent ones, token by token"] = ()
    words: WordsConfig = field(default_factory=WordsConfig)
    characters: CharactersConfig = field(default_factory=CharactersConfig)
    dropout: DropoutConfig = field(default_factory=DropoutConfig)

    def __post_init__(self) -> None:
        check_lowest(self, "model", 1, "hidden_size", "num_layers")
        check_lowest(self.words, "model.words", 0, "projection_dim", "trained_dim")
        check_lowest(self.words, "model.words", 1, "min_count")
        sizes = ("embedding_dim", "size", "width", "max_word_chars", "min_count")
        check_lowest(self.characters, "model.characters", 1, *sizes)
        for i, size in enumerate(self.feed_forward):
            if size < 1:
                raise ConfigError(f"model.feed_forward[{i}] = {size} is below 1")
        if self.characters.kind == "cnn" and self.characters.width % 2 == 0:
            raise ConfigError(f"model.characters.width = {self.characters.width} is even; it must be odd")
        if not self.words.vectors and not self.words.trained_dim and self.characters.kind == "none":
            raise ConfigError("model.words and model.characters give the model no input")


@dataclass(frozen=True)
class OptimizerConfig:
    """Optimiser, learning rate and clipping."""

    name: Annotated[Literal["adam", "adamw", "sgd", "nt-asgd"], "nt-asgd: language models only"] = "adamw"
    learning_rate: Annotated[float, "the highest rate of the schedule"] = 2e-3
    momentum: Annotated[float, "of sgd and nt-asgd"] = 0.0
    beta1: Annotated[float, "of adam and adamw"] = 0.9
    beta2: Annotated[float, "of adam and adamw"] = 0.999
    fused: Annotated[bool, "adam, adamw: one pass over memory a step; results depend on it"] = False
    weight_decay: Annotated[float, "share of a weight, times the rate, that a step takes off it"] = 0.0
    schedule: Annotated[Literal["one-cycle", "constant", "inverse-decay"], "how the rate changes"] = "one-cycle"
    warmup: Annotated[float, "one-cycle: share of all steps in which the rate rises"] = 0.25
    decay: Annotated[float, "of inverse-decay: learning_rate / (1 + decay * epoch)"] = 0.05
    clip_norm: Annotated[float, "largest norm of all gradients together; 0: off"] = 5.0
    clip_value: Annotated[float, "largest size of each gradient; 0: off"] = 0.0

    def __post_init__(self) -> None:
        names = ("learning_rate", "momentum", "beta1", "beta2", "weight_decay", "decay", "clip_norm", "clip_value")
        check_lowest(self, "optimizer", 0, *names)
        for name in ("beta1", "beta2"):
            if getattr(self, name) >= 1:
                raise ConfigError(f"optimizer.{name} = {getattr(self, name)} is not in [0, 1)")


@dataclass(frozen=True)
class StepConfig:
    """Options of every training step."""

    average_decay: Annotated[float, "exponential moving average of the weights; 0: off"] = 0.0
    precision: Annotated[Literal["float32", "bf16"], "number type of the products of recurrent layers in training"] = (
        "float32"
    )
    threads: Threads = 1
    checkpoint_every_s: Annotated[float, "seconds between checkpoints"] = 60.0


@dataclass(frozen=True)
class LoopConfig(StepConfig):
    """Length of the training, and which weights it keeps."""

    epochs: Annotated[int, "passes over the training data"] = 12
    batch_size: Annotated[int, "sentences, texts or pairs a step"] = 32
    patience: Annotated[int, "epochs without a better dev score before stopping; 0: never"] = 0
    keep: Annotated[
        Literal["best", "last"],
        "which epoch's weights: the best on dev (of equal scores the lower dev loss, else the later), or the last",
    ] = "best"


@dataclass(frozen=True)
class ReaderLoop(LoopConfig):
    """Length of the training, which weights it keeps, and which it starts from."""

    start_from: Annotated[
        str,
        IS_RUN,
        "bundle (its folder or name) or run that weights, vocabularies, word vectors and sizes of `[model]` come from",
    ] = ""


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Keys of every training that ends in a bundle."""

    learns_labels: ClassVar[bool] = True  # of a data set, and not its text alone

    task: Annotated[str, "the kind of model"]
    name: Annotated[str, "of the bundle"]
    version: Annotated[str, "of the bundle; `export --version` may choose another"]
    description: Annotated[str, "one sentence, without its full stop"]
    licence: Annotated[str, "of the weights"]
    seed: Annotated[int, "of all random draws; the same seed gives the same weights"] = 1
    languages: Annotated[tuple[str, ...], "as BCP 47 writes them"] = ("en",)
    attribution: Annotated[tuple[str, ...], "attributions to show; known data sets add theirs"] = ()
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)

    def __post_init__(self) -> None:
        check_name("name", self.name)
        check_name("version", self.version)
        check_seed(self.seed)


def check_name(key: str, value: str, *, error: type[SeqserveError] = ConfigError) -> None:
    """Raise the error for an invalid name or version of a bundle."""
    try:
        msgspec.convert(value, Name)
    except msgspec.ValidationError:
        raise error(
            f"{key} = {value!r} must be 1 to 100 letters (a-z, A-Z), digits, '.', '_' or '-', first a letter or digit"
        ) from None


def check_seed(seed: int) -> None:
    """Raise ConfigError for a seed that torch or numpy refuses."""
    if not 0 <= seed < 1 << 63:
        raise ConfigError(f"seed = {seed} is not from 0 to {(1 << 63) - 1}")


def check_lowest(table: Any, where: str, lowest: int, *names: str) -> None:
    """Raise ConfigError, naming the key, for a number of a table that is below the lowest."""
    for name in names:
        if (value := getattr(table, name)) < lowest:
            raise ConfigError(f"{where}.{name} = {value} is below {lowest}")


def check_vocabulary(table: Any, where: str) -> None:
    """Raise ConfigError, naming the key, for a size of a vocabulary or steps of its look-up that cannot be."""
    check_lowest(table, where, 1, "min_count")
    check_lowest(table, where, 0, "max_vocabulary")
    if table.max_vocabulary and table.max_vocabulary <= FIRST_ID:
        raise ConfigError(f"{where}.max_vocabulary = {table.max_vocabulary} leaves no room beside <EOS> and <UNK>")
    steps = get_args(LookupStep)
    if not table.lookup or not set(table.lookup) <= set(steps):
        raise ConfigError(f"{where}.lookup = {list(table.lookup)} must hold one or more of {', '.join(steps)}")


def check_part(part: tuple[float, ...], file: str) -> None:
    """Raise ConfigError unless the part of a file is a range within 0 to 1."""
    if len(part) != 2 or not 0.0 <= part[0] < part[1] <= 1.0:
        raise ConfigError(f"part = {list(part)} of {file} must be a range within 0 to 1")


def check_shares(config: Any) -> None:
    """Raise ConfigError, naming the key, for a probability or share that is not in [0, 1)."""
    shares = {f"model.dropout.{name}": value for name, value in dataclasses.asdict(config.model.dropout).items()}
    if hasattr(config, "augment"):
        shares |= {f"augment.{name}": value for name, value in dataclasses.asdict(config.augment).items()}
    shares |= {"loop.average_decay": config.loop.average_decay, "optimizer.warmup": config.optimizer.warmup}
    for name, value in shares.items():
        if not 0.0 <= value < 1.0:
            raise ConfigError(f"{name} = {value} is not in [0, 1)")


def check_labels(labels: tuple[str, ...], least: int) -> None:
    """Raise ConfigError for fewer labels than `least`, an empty or unprintable one, or one that is there twice."""
    if len(labels) < least:
        raise ConfigError(f"data.labels = {list(labels)} must hold {least} or more labels")
    for place, label in enumerate(labels):
        if not label or label != label.strip() or not label.isprintable():
            raise ConfigError(f"data.labels[{place}] = {label!r} must be printable, without spaces at its ends")
        if label in labels[:place]:
            raise ConfigError(f"data.labels[{place}] = {label!r} is there twice")


def check_dev_weights(weights: list[float]) -> None:
    """Raise ConfigError unless the weights of the dev files are usable in a mean."""
    if min(weights) < 0 or not sum(weights):
        raise ConfigError("data.dev needs weights of 0 or more, at least one of them above 0")


def check_training(config: Any) -> None:
    """Raise ConfigError, naming the key, for values that no training by epochs can use."""
    check_shares(config)
    if config.loop.keep == "last" and config.loop.patience:
        raise ConfigError('loop.patience stops by dev scores, which loop.keep = "last" ignores: use one of them')
    check_lowest(config.loop, "loop", 1, "epochs", "batch_size")
    check_lowest(config.loop, "loop", 0, "threads")
    if config.optimizer.name == "nt-asgd":
        raise ConfigError('optimizer.name = "nt-asgd" is for language models')
