"""The typed manifest of a bundle, and the checksums that tie it to its files."""

import hashlib
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from bundle.errors import BundleError

FORMAT_VERSION = 1
MANIFEST_FILE = "manifest.json"

# A plain name: no separator and no leading dot, so that no path can leave the bundle's folder.
FileName = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_][A-Za-z0-9._+-]*\Z", max_length=255)]
Name = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]*\Z", max_length=100)]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Size = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
LookupStep = Literal["exact", "lower", "capital", "digits"]


class _Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of the manifest: fields are named as in the JSON, others are refused."""


class FileEntry(_Struct, frozen=True):
    """A file of the bundle with its checksum."""

    file: FileName
    sha256: Sha256
    bytes: Size


class Tensor(_Struct, frozen=True):
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


class Architecture(_Struct, frozen=True):
    """What the model is."""

    cell: Literal["lstm"]
    num_layers: Positive
    hidden_size: Positive
    bidirectional: bool
    characters: Literal["cnn", "lstm", "none"]
    head: Literal["crf"]
    num_parameters: Size
    scheme: Literal["BIOES", "BIO"]
    labels: Annotated[list[str], msgspec.Meta(min_length=1)]


class Vocabularies(_Struct, frozen=True):
    """The three vocabularies of a tagger."""

    words: VocabularyEntry
    characters: VocabularyEntry
    tags: VocabularyEntry


class Graphs(_Struct, frozen=True):
    """The graphs of a tagger."""

    tagger: GraphEntry


class Tokenization(_Struct, frozen=True):
    """Which tokeniser the model was made for and how its tokens are looked up."""

    name: Literal["seqserve-en-1"]
    lookup: Annotated[list[LookupStep], msgspec.Meta(min_length=1)]


class Limits(_Struct, frozen=True):
    """The largest input: characters of a word beyond the limit are cut, longer sentences are split."""

    max_word_chars: Positive
    max_sentence_tokens: Positive


class DataSource(_Struct, frozen=True):
    """A data set with the checksums of its files and what it was used for."""

    name: str
    licence: str
    sha256: dict[str, Sha256]
    use: str


class LanguageModelArchitecture(_Struct, frozen=True):
    """What the model is; projection_dim 0: none; cutoffs: of the adaptive softmax; state_size: see StepBatch."""

    cell: Literal["rnn", "gru-simplified", "gru", "gru-cudnn", "lstm", "lstm-peephole"]
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


class LanguageModelGraphs(_Struct, frozen=True):
    """The graphs of a language model: log-probabilities of given tokens, and one drawn token a row."""

    score: GraphEntry
    step: GraphEntry


class LanguageModelVocabularies(_Struct, frozen=True):
    """The vocabulary of a language model, in the order of its ids."""

    tokens: VocabularyEntry


class LanguageModelTokenization(_Struct, frozen=True):
    """Which tokeniser (see bundle.tokenizers) the model was made for and how its tokens are looked up."""

    name: Literal["seqserve-en-1", "whitespace", "characters"]
    lookup: Annotated[list[LookupStep], msgspec.Meta(min_length=1)]


class LanguageModelLimits(_Struct, frozen=True):
    """The longest row of one scoring run; longer texts are scored in chunks that carry the state."""

    max_chunk_tokens: Positive


class _Common(_Struct, frozen=True, tag_field="task"):
    """What every manifest says."""

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


class TaggerManifest(_Common, frozen=True, tag="tag"):
    """Everything about a tagger's bundle that is not weights."""

    architecture: Architecture
    graphs: Graphs
    vocabularies: Vocabularies
    tokenization: Tokenization
    limits: Limits

    @property
    def task(self) -> Literal["tag"]:
        """What the model does."""
        return "tag"

    def files(self) -> Iterator[FileEntry]:
        """Yield the entry of every file of the bundle but the manifest itself."""
        yield self.graphs.tagger
        yield self.weights
        yield from (self.vocabularies.words, self.vocabularies.characters, self.vocabularies.tags)
        yield self.golden
        yield from self.extra_files


class LanguageModelManifest(_Common, frozen=True, tag="language-model"):
    """Everything about a language model's bundle that is not weights.

    ends_sentences: whether <EOS> was learned; false for a model of one running text.
    """

    architecture: LanguageModelArchitecture
    graphs: LanguageModelGraphs
    vocabularies: LanguageModelVocabularies
    tokenization: LanguageModelTokenization
    limits: LanguageModelLimits
    ends_sentences: bool

    @property
    def task(self) -> Literal["language-model"]:
        """What the model does."""
        return "language-model"

    def files(self) -> Iterator[FileEntry]:
        """Yield the entry of every file of the bundle but the manifest itself."""
        yield from (self.graphs.score, self.graphs.step)
        yield self.weights
        yield self.vocabularies.tokens
        yield self.golden
        yield from self.extra_files


Manifest = TaggerManifest | LanguageModelManifest
"""Any bundle's manifest; which one the JSON's field `task` says."""


class _Version(msgspec.Struct):
    format_version: int


def read_manifest(folder: str | os.PathLike[str]) -> Manifest:
    """Read a bundle's manifest; raises BundleError when it is missing, malformed or of another format version."""
    path = Path(folder) / MANIFEST_FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror}") from error
    return _decoded(content, path)


def write_manifest(folder: str | os.PathLike[str], manifest: Manifest) -> None:
    """Write the manifest as indented JSON; raises BundleError when it could not be read back."""
    path = Path(folder) / MANIFEST_FILE
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
    _decoded(content, path)
    path.write_bytes(content)


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify_files(folder: str | os.PathLike[str], manifest: Manifest) -> None:
    """Compare every file with its recorded size and checksum; raises BundleError on the first that differs."""
    for entry in manifest.files():
        path = Path(folder) / entry.file
        try:
            size = path.stat().st_size if path.is_file() else None
            if size is None:
                raise BundleError(f"{path}: named in {MANIFEST_FILE} but missing")
            if size != entry.bytes:
                raise BundleError(f"{path}: has {size} bytes instead of the {entry.bytes} in {MANIFEST_FILE}")
            found = sha256_of(path)
        except OSError as error:
            raise BundleError(f"{path}: cannot be read: {error.strerror}") from error
        if found != entry.sha256:
            raise BundleError(f"{path}: wrong checksum, sha256 {found} instead of {entry.sha256} in {MANIFEST_FILE}")


def _decoded(content: bytes, path: Path) -> Manifest:
    try:
        version = msgspec.json.decode(content, type=_Version).format_version
        # Looked at first: a later format may well have other fields, and its version is the reason worth telling.
        if version != FORMAT_VERSION:
            raise BundleError(f"{path}: format version {version} is unknown, this release reads {FORMAT_VERSION}")
        manifest: Manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = re.sub(r"\s+", " ", str(error))
        raise BundleError(f"{path}: {reason}") from error
    try:
        datetime.fromisoformat(manifest.created)
    except ValueError as error:
        raise BundleError(f"{path}: created is {manifest.created!r} instead of a date") from error
    return manifest
