"""The manifest of a tagger."""

from typing import Annotated, Literal

import msgspec

from seqserve.entries import (
    CellName,
    GraphEntry,
    LookupStep,
    Manifest,
    ManifestStruct,
    Positive,
    Size,
    VocabularyEntry,
    check_labels,
)


class TaggerArchitecture(ManifestStruct, frozen=True):
    """What the model is; feed_forward: sizes of the layers between encoder and head, absent where there are none."""

    cell: CellName
    num_layers: Positive
    hidden_size: Positive
    bidirectional: bool
    characters: Literal["cnn", "lstm", "none"]
    head: Literal["crf"]
    num_parameters: Size
    scheme: Literal["BIOES", "BIO"]
    labels: Annotated[list[str], msgspec.Meta(min_length=1)]
    feed_forward: list[Positive] | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        """Refuse a label that is given twice."""
        check_labels(self.labels)


class TaggerVocabularies(ManifestStruct, frozen=True):
    """The three vocabularies of a tagger."""

    words: VocabularyEntry
    characters: VocabularyEntry
    tags: VocabularyEntry


class TaggerGraphs(ManifestStruct, frozen=True):
    """The graphs of a tagger."""

    tagger: GraphEntry


class TaggerTokenization(ManifestStruct, frozen=True):
    """Which tokeniser the model was made for and how its tokens are looked up.

    span_edges: tokens without letter or digit that a span may begin or end with; absent: any.
    """

    name: Literal["seqserve-en-1"]
    lookup: Annotated[list[LookupStep], msgspec.Meta(min_length=1)]
    span_edges: list[str] | msgspec.UnsetType = msgspec.UNSET


class TaggerLimits(ManifestStruct, frozen=True):
    """The largest input: characters of a word beyond the limit are cut, longer sentences are split."""

    max_word_chars: Positive
    max_sentence_tokens: Positive


class TaggerManifest(Manifest, frozen=True, tag="tag"):
    """Everything about a tagger's bundle that is not weights."""

    architecture: TaggerArchitecture
    graphs: TaggerGraphs
    vocabularies: TaggerVocabularies
    tokenization: TaggerTokenization
    limits: TaggerLimits
