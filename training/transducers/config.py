"""The configuration of one encoder-decoder, read from TOML and checked on entry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from seqserve.entries import CellName, TokenizerName
from seqserve.training.config import ConfigError, LoopConfig, OptimizerConfig, check_training
from seqserve.vocabulary.tokens import FIRST_ID
from seqserve.vocabulary.words import LOOKUP_STEPS


@dataclass(frozen=True)
class PairFile:
    """One file of pairs, tab-separated: where it is, which columns count, which part of it."""

    file: str  # of a known data set ("tatoeba_eng_fra/train.tsv.gz"), or a path of your own; plain, .gz or .xz
    source_column: int = 0
    target_column: int = 1
    part: tuple[float, float] = (0.0, 1.0)  # by a hash of the source, so that its translations stay together

    def check(self) -> None:
        """Raise ConfigError, naming file and field."""
        for name in ("source_column", "target_column"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} = {getattr(self, name)} of {self.file} is below 0")
        if len(self.part) != 2 or not 0.0 <= self.part[0] < self.part[1] <= 1.0:
            raise ConfigError(f"part = {list(self.part)} of {self.file} is no range within 0 to 1")


@dataclass(frozen=True)
class PairData:
    train: tuple[PairFile, ...]
    valid: tuple[PairFile, ...]  # the weights with the lowest loss here are kept


@dataclass(frozen=True)
class SideOptions:
    """One side of the pairs: what a token is, and which tokens are known."""

    tokenization: TokenizerName = "whitespace"
    lookup: tuple[str, ...] = ("exact",)
    max_vocabulary: int = 0  # most frequent types, <EOS> and <UNK> counted; 0: all
    min_count: int = 1
    max_tokens: int = 100  # longer pairs are left out of the training; the service refuses longer sources

    def check(self, side: str) -> None:
        """Raise ConfigError, naming the field of that side."""
        for name, lowest in (("min_count", 1), ("max_tokens", 1), ("max_vocabulary", 0)):
            if (value := getattr(self, name)) < lowest:
                raise ConfigError(f"{side}.{name} = {value} is below {lowest}")
        if self.max_vocabulary and self.max_vocabulary <= FIRST_ID:
            raise ConfigError(f"{side}.max_vocabulary = {self.max_vocabulary} leaves no room beside <EOS> and <UNK>")
        if not self.lookup or not set(self.lookup) <= set(LOOKUP_STEPS):
            raise ConfigError(f"{side}.lookup = {list(self.lookup)} must hold one or more of {', '.join(LOOKUP_STEPS)}")


@dataclass(frozen=True)
class TransducerDropout:
    """Probabilities; `locked` masks are drawn once per row, not per position."""

    input: float = 0.0  # on what the first layer of encoder and decoder reads
    hidden: float = 0.0  # between layers
    output: float = 0.0  # on what the softmax reads
    recurrent: float = 0.0  # on the hidden-to-hidden weights (weight drop)


@dataclass(frozen=True)
class EncoderConfig:
    hidden_size: int = 256  # per direction
    num_layers: int = 1
    bidirectional: bool = True


@dataclass(frozen=True)
class DecoderConfig:
    hidden_size: int = 512
    num_layers: int = 1


@dataclass(frozen=True)
class TransducerModelConfig:
    cell: CellName = "lstm"  # of encoder and decoder
    embedding_dim: int = 256  # of both sides
    attention: Literal["general", "none"] = "general"
    tied: bool = False  # output table = target embedding table
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    dropout: TransducerDropout = field(default_factory=TransducerDropout)


@dataclass(frozen=True)
class TransducerLoop(LoopConfig):
    exact_tokens: int = 0  # with sampled_tokens: the most frequent target tokens, never left to sampling
    sampled_tokens: int = 0  # draws that stand for all others while training; 0: off


@dataclass(frozen=True)
class TransducerConfig:
    """One training of an encoder-decoder, whole."""

    name: str
    version: str
    description: str
    licence: str
    data: PairData
    task: Literal["transduce"] = "transduce"
    seed: int = 1
    languages: tuple[str, ...] = ("en",)  # of the source, then of the target
    attribution: tuple[str, ...] = ()
    source: SideOptions = field(default_factory=SideOptions)
    target: SideOptions = field(default_factory=SideOptions)
    model: TransducerModelConfig = field(default_factory=TransducerModelConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    loop: TransducerLoop = field(default_factory=TransducerLoop)

    def __post_init__(self) -> None:
        if not self.data.train or not self.data.valid:
            raise ConfigError("data.train and data.valid need at least one file each")
        for file in (*self.data.train, *self.data.valid):
            file.check()
        self.source.check("source")
        self.target.check("target")
        check_training(self)
        for name, count in {
            "model.embedding_dim": self.model.embedding_dim,
            "model.encoder.hidden_size": self.model.encoder.hidden_size,
            "model.encoder.num_layers": self.model.encoder.num_layers,
            "model.decoder.hidden_size": self.model.decoder.hidden_size,
            "model.decoder.num_layers": self.model.decoder.num_layers,
        }.items():
            if count < 1:
                raise ConfigError(f"{name} = {count} is below 1")
        if bool(self.loop.exact_tokens > 0) != bool(self.loop.sampled_tokens > 0):
            raise ConfigError("loop.exact_tokens and loop.sampled_tokens need each other, both above 0 or both 0")
