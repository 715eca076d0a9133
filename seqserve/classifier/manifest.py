"""The manifest of a classifier of texts."""

from typing import Annotated, Literal

import msgspec

from seqserve.entries import (
    CellName,
    GraphEntry,
    Manifest,
    ManifestStruct,
    Positive,
    Size,
    Tokenization,
    VocabularyEntry,
    check_labels,
)


class ClassifierArchitecture(ManifestStruct, frozen=True):
    """What the model is; feed_forward: sizes of the layers between the pooled states and the softmax."""

    cell: CellName
    num_layers: Positive
    hidden_size: Positive
    bidirectional: bool
    feed_forward: list[Positive]
    characters: Literal["cnn", "lstm", "none"]
    pooling: Literal["last", "middle", "mean", "max"]
    num_parameters: Size
    labels: Annotated[list[str], msgspec.Meta(min_length=2)]

    def __post_init__(self) -> None:
        """Refuse a label that is given twice."""
        check_labels(self.labels)


class ClassifierGraphs(ManifestStruct, frozen=True):
    """The graphs of a classifier."""

    classifier: GraphEntry


class ClassifierVocabularies(ManifestStruct, frozen=True):
    """The vocabularies of a classifier."""

    words: VocabularyEntry
    characters: VocabularyEntry


class ClassifierLimits(ManifestStruct, frozen=True):
    """The largest input: characters of a word beyond the limit are cut, longer texts are refused."""

    max_word_chars: Positive
    max_tokens: Positive


class ClassifierManifest(Manifest, frozen=True, tag="classify"):
    """Everything about a classifier's bundle that is not weights."""

    architecture: ClassifierArchitecture
    graphs: ClassifierGraphs
    vocabularies: ClassifierVocabularies
    tokenization: Tokenization
    limits: ClassifierLimits
