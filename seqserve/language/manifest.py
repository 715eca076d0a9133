"""The manifest of a language model."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from seqserve.entries import (
    CellName,
    GraphEntry,
    LookupStep,
    Manifest,
    ManifestStruct,
    Positive,
    Size,
    Tokenization,
    VocabularyEntry,
)


class LanguageModelArchitecture(ManifestStruct, frozen=True):
    """What the model is; projection_dim 0: none; cutoffs: of the adaptive softmax; state_size: see StepBatch."""

    cell: CellName
    level: Literal["word", "character"]
    num_layers: Positive
    embedding_dim: Positive
    hidden_size: Positive
    projection_dim: Size
    tied: bool
    softmax: Literal["full", "adaptive"]
    cutoffs: list[Positive]
    state_size: Positive
    num_parameters: Size

    def __post_init__(self) -> None:
        """Refuse cut-offs that are no adaptive softmax's."""
        if (self.softmax == "adaptive") != bool(self.cutoffs) or sorted(set(self.cutoffs)) != self.cutoffs:
            raise ValueError(f"cutoffs must ascend and be there only when softmax is adaptive, not {self.cutoffs}")


class LanguageModelGraphs(ManifestStruct, frozen=True):
    """The graphs of a language model: log-probabilities of given tokens, and one drawn token a row."""

    score: GraphEntry
    step: GraphEntry


class LanguageModelVocabularies(ManifestStruct, frozen=True):
    """The vocabulary of a language model, in the order of its ids."""

    tokens: VocabularyEntry


class LanguageModelLimits(ManifestStruct, frozen=True):
    """The longest row of one scoring run; longer texts are scored in chunks that carry the state."""

    max_chunk_tokens: Positive


class TextReading(ManifestStruct, frozen=True):
    """How the texts of clients are read, as against those of the training and of published measures.

    lookup: in place of that of `tokenization`. num_unknown_types: how many words that are not in the vocabulary share
    the probability of <UNK>, estimated on held-out text.
    """

    lookup: Annotated[list[LookupStep], Meta(min_length=1)]
    num_unknown_types: Positive


class LanguageModelManifest(Manifest, frozen=True, tag="language-model"):
    """Everything about a language model's bundle that is not weights.

    ends_sentences: whether <EOS> was learned; false for a model of one running text. texts: absent: as in the
    training, and an unknown word has the probability of <UNK>.
    """

    architecture: LanguageModelArchitecture
    graphs: LanguageModelGraphs
    vocabularies: LanguageModelVocabularies
    tokenization: Tokenization
    limits: LanguageModelLimits
    ends_sentences: bool
    texts: TextReading | UnsetType = UNSET
