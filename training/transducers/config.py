"""The configuration of one encoder-decoder, read from TOML and checked on entry."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from seqserve.entries import CellName
from seqserve.training.config import ConfigError, LoopConfig, TrainingConfig, check_lowest, check_training
from seqserve.training.reading.pairs import PairFile, SideOptions


@dataclass(frozen=True)
class PairData:
    """Files of pairs."""

    train: Annotated[tuple[PairFile, ...], "files that the model learns from"]
    valid: Annotated[tuple[PairFile, ...], "the weights with the lowest loss here are kept"]


@dataclass(frozen=True)
class TransducerDropout:
    """Probabilities; masks of input, hidden and output are drawn once per row, not per position."""

    input: Annotated[float, "before the first layer of encoder and decoder"] = 0.0
    hidden: Annotated[float, "between layers"] = 0.0
    output: Annotated[float, "before the softmax"] = 0.0
    recurrent: Annotated[float, "of the hidden-to-hidden weights (weight drop)"] = 0.0


@dataclass(frozen=True)
class EncoderConfig:
    """Layers that read the source."""

    hidden_size: Annotated[int, "hidden units of each direction"] = 256
    num_layers: Annotated[int, "recurrent layers"] = 1
    bidirectional: Annotated[bool, "read the source in both directions"] = True


@dataclass(frozen=True)
class DecoderConfig:
    """Layers that write the target."""

    hidden_size: Annotated[int, "hidden units"] = 512
    num_layers: Annotated[int, "recurrent layers"] = 1


@dataclass(frozen=True)
class TransducerModelConfig:
    """Encoder, attention, decoder, softmax."""

    cell: Annotated[CellName, "recurrent cell of encoder and decoder"] = "lstm"
    embedding_dim: Annotated[int, "size of a token's vector, on both sides"] = 256
    attention: Annotated[Literal["general", "none"], "how the decoder sees the source's states"] = "general"
    tied: Annotated[bool, "the output table is the target embedding table"] = False
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    dropout: TransducerDropout = field(default_factory=TransducerDropout)


@dataclass(frozen=True)
class TransducerLoop(LoopConfig):
    """Length of the training, which weights it keeps, and how the softmax is trained."""

    exact_tokens: Annotated[
        int, "with sampled_tokens: number of the most frequent target tokens, which are never sampled"
    ] = 0
    sampled_tokens: Annotated[int, "number of draws that stand for all other tokens in training; 0: off"] = 0


@dataclass(frozen=True, kw_only=True)
class TransducerConfig(TrainingConfig):
    """One training of an encoder-decoder; `languages` are the source's, then the target's."""

    task: Annotated[Literal["transduce"], "the kind of model"] = "transduce"
    data: PairData
    source: SideOptions = field(default_factory=SideOptions)
    target: SideOptions = field(default_factory=SideOptions)
    model: TransducerModelConfig = field(default_factory=TransducerModelConfig)
    loop: TransducerLoop = field(default_factory=TransducerLoop)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.data.train or not self.data.valid:
            raise ConfigError("data.train and data.valid need at least one file each")
        for file in (*self.data.train, *self.data.valid):
            file.check()
        self.source.check("source")
        self.target.check("target")
        check_training(self)
        check_lowest(self.model, "model", 1, "embedding_dim")
        for part, table in (("encoder", self.model.encoder), ("decoder", self.model.decoder)):
            check_lowest(table, f"model.{part}", 1, "hidden_size", "num_layers")
        if bool(self.loop.exact_tokens > 0) != bool(self.loop.sampled_tokens > 0):
            raise ConfigError("loop.exact_tokens and loop.sampled_tokens need each other, both above 0 or both 0")
