"""The manifest of an encoder-decoder."""

from typing import Literal

from seqserve.entries import (
    CellName,
    GraphEntry,
    Manifest,
    ManifestStruct,
    Positive,
    Size,
    Tokenization,
    VocabularyEntry,
)


class TransducerArchitecture(ManifestStruct, frozen=True):
    """What the model is; state_size, memory_size: numbers a row of the decoder's inputs (memory 0: no attention)."""

    cell: CellName
    attention: Literal["general", "none"]
    embedding_dim: Positive
    encoder_layers: Positive
    encoder_size: Positive
    bidirectional: bool
    decoder_layers: Positive
    decoder_size: Positive
    tied: bool
    state_size: Positive
    memory_size: Size
    num_parameters: Size

    def __post_init__(self) -> None:
        """Refuse a memory without attention, and attention without a memory."""
        if (self.attention == "none") != (self.memory_size == 0):
            raise ValueError(f"memory_size is {self.memory_size} with attention {self.attention!r}")


class TransducerGraphs(ManifestStruct, frozen=True):
    """The graphs of an encoder-decoder: one run a text, and one a target token."""

    encode: GraphEntry
    decode: GraphEntry


class TransducerVocabularies(ManifestStruct, frozen=True):
    """Both sides' tokens, in the order of their ids."""

    source: VocabularyEntry
    target: VocabularyEntry


class TransducerTokenization(ManifestStruct, frozen=True):
    """The tokenisation of each side."""

    source: Tokenization
    target: Tokenization


class TransducerLimits(ManifestStruct, frozen=True):
    """The longest source that is taken: as long as any that training saw."""

    max_source_tokens: Positive


class TransducerManifest(Manifest, frozen=True, tag="transduce"):
    """Everything about an encoder-decoder's bundle that is not weights."""

    architecture: TransducerArchitecture
    graphs: TransducerGraphs
    vocabularies: TransducerVocabularies
    tokenization: TransducerTokenization
    limits: TransducerLimits
