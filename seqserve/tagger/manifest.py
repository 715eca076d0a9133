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

CONTINUE_PROBS = "continue_probs"
"""The graph's output that the posteriors of all spans need."""

DEFAULT_THRESHOLD = 0.4
"""Of a bundle that was not calibrated: half of an F1 of .8."""

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.1, 10.0

Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]


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


class ScorePoint(ManifestStruct, frozen=True):
    """Precision and recall of the entities with at least this score; a precision of 1 where there are none."""

    min_score: Fraction
    precision: Fraction
    recall: Fraction


class TaggerCalibration(ManifestStruct, frozen=True):
    """What was fitted and measured on dev files when the bundle was written, as weighted means over `data`.

    temperature: what the graph divides all log potentials by before it computes probabilities. span_threshold: the
    posterior from which decoding by expected F1 takes a span. expected_error: of the scores, over 15 bins of equal
    width (Guo et al. 2017), a fraction. data: names of the files.
    """

    temperature: Annotated[float, msgspec.Meta(ge=MIN_TEMPERATURE, le=MAX_TEMPERATURE)]
    span_threshold: Annotated[float, msgspec.Meta(gt=0, le=1)]
    expected_error: Fraction
    scores: list[ScorePoint]
    data: list[str]


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
    calibration: TaggerCalibration | msgspec.UnsetType = msgspec.UNSET

    @property
    def decodings(self) -> list[Literal["best_path", "expected_f1"]]:
        """The ways of decoding that the graph has outputs for."""
        has_all_spans = any(output.name == CONTINUE_PROBS for output in self.graphs.tagger.outputs)
        return ["best_path", "expected_f1"] if has_all_spans else ["best_path"]

    @property
    def span_threshold(self) -> float:
        """The posterior from which decoding by expected F1 takes a span."""
        calibration = self.calibration
        return DEFAULT_THRESHOLD if calibration is msgspec.UNSET else calibration.span_threshold
