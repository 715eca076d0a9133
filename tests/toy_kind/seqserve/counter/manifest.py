"""The manifest of a counter."""

from seqserve.entries import Manifest, ManifestStruct, Positive, Size


class CounterArchitecture(ManifestStruct, frozen=True):
    """What the model is."""

    cell: str
    num_parameters: Size


class CounterGraphs(ManifestStruct, frozen=True):
    """A counter has no graph."""


class CounterVocabularies(ManifestStruct, frozen=True):
    """Nor a vocabulary."""


class CounterLimits(ManifestStruct, frozen=True):
    """The longest text."""

    max_tokens: Positive


class CounterManifest(Manifest, frozen=True, tag="count"):
    """Everything about a counter that is not weights."""

    architecture: CounterArchitecture
    graphs: CounterGraphs
    vocabularies: CounterVocabularies
    limits: CounterLimits
