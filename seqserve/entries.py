"""The typed parts that every bundle's manifest is made of."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

# A plain name: no separator and no leading dot, so that no path can leave the bundle's folder.
FileName = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_][A-Za-z0-9._+-]*\Z", max_length=255)]
Name = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]*\Z", max_length=100)]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Size = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
LookupStep = Literal["exact", "plain", "lower", "capital", "digits"]
TokenizerName = Literal["seqserve-en-1", "seqserve-fr-1", "whitespace", "characters"]
CellName = Literal["rnn", "rnn-relu", "gru-simplified", "gru", "gru-cudnn", "lstm", "lstm-peephole"]


class ManifestStruct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of the manifest: fields are named as in the JSON, others are refused."""


def check_labels(labels: list[str]) -> None:
    """Raise ValueError, which msgspec reports with the field's path, when a label is given twice."""
    if len(set(labels)) < len(labels):
        [(label, _)] = Counter(labels).most_common(1)
        raise ValueError(f"labels must differ, but {label!r} is given twice")


class FileEntry(ManifestStruct, frozen=True):
    """A file of the bundle with its checksum."""

    file: FileName
    sha256: Sha256
    bytes: Size


class Tensor(ManifestStruct, frozen=True):
    """An input or output of a graph; a dimension is a number or the name of one that varies."""

    name: str
    dtype: Literal["float32", "int32", "int64"]
    shape: list[str | int]


class GraphEntry(FileEntry, frozen=True):
    """A graph's file and what it takes and gives."""

    inputs: list[Tensor]
    outputs: list[Tensor]


class VocabularyEntry(FileEntry, frozen=True):
    """A vocabulary's file and number of ids, special ones (padding, <UNK>, <EOS>) included."""

    size: Positive


class GoldenEntry(FileEntry, frozen=True):
    """Recorded inputs and outputs; `tolerance`: how far a probability (tagger) or log-probability may differ."""

    tolerance: Annotated[float, msgspec.Meta(ge=0, le=1)]


class Tokenization(ManifestStruct, frozen=True):
    """Which tokeniser (see seqserve.text.tokenizers) texts are split by and how the tokens are looked up."""

    name: TokenizerName
    lookup: Annotated[list[LookupStep], msgspec.Meta(min_length=1)]


class DataSource(ManifestStruct, frozen=True):
    """A data set with the checksums of its files and what it was used for."""

    name: str
    licence: str
    sha256: dict[str, Sha256]
    use: str


class Manifest(ManifestStruct, frozen=True, tag_field="task"):
    """What every manifest says; each task adds its architecture, graphs, vocabularies and limits."""

    format_version: int
    name: Name
    version: Name
    created: Annotated[str, msgspec.Meta(pattern=r"\A\d{4}-\d{2}-\d{2}")]
    producer: str
    description: str
    languages: list[str]
    weights: FileEntry
    metrics: dict[str, dict[str, float]]
    data: list[DataSource]
    licence: str
    attribution: list[str]
    golden: GoldenEntry
    reproducible: bool
    extra_files: list[FileEntry]

    if TYPE_CHECKING:  # each task has fields of its own types for these, which come after those above in the file

        @property
        def architecture(self) -> Any:
            """What the model is: at least `cell` and `num_parameters`."""

        @property
        def graphs(self) -> ManifestStruct:
            """A GraphEntry in each field."""

        @property
        def vocabularies(self) -> ManifestStruct:
            """A VocabularyEntry in each field."""

    @property
    def task(self) -> str:
        """What the model does."""
        return str(self.__struct_config__.tag)

    def graph_files(self) -> tuple[GraphEntry, ...]:
        """Return the entry of every graph."""
        return msgspec.structs.astuple(self.graphs)

    def files(self) -> Iterator[FileEntry]:
        """Yield the entry of every file of the bundle but the manifest itself."""
        yield from self.graph_files()
        yield self.weights
        yield from msgspec.structs.astuple(self.vocabularies)
        yield self.golden
        yield from self.extra_files
