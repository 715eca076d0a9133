"""Open a tagger's verified folder and check that it gives its recorded answers."""

import dataclasses
from pathlib import Path

import msgspec
import numpy as np

from bundle.encoding import TaggerBatch
from bundle.errors import BundleError
from bundle.graph import Graph
from bundle.manifest import MANIFEST_FILE, TaggerManifest, Tensor
from bundle.tagger import TaggedSentence, TaggerBundle
from bundle.tags import make_tags
from bundle.vocabulary import CharacterVocabulary, WordVocabulary

_PROBED = 8  # golden sentences that are compared alone and in a batch

_INPUTS = {"words": ("int32", 2), "chars": ("int32", 3), "lengths": ("int32", 1)}
_OUTPUTS = {"tags": ("int32", 2), "tag_probs": ("float32", 3), "span_probs": ("float32", 2)}


class Golden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sentences of tokens with the answers recorded at export; tag_probs is (T,K) and span_probs (T,) for each."""

    sentences: list[list[str]]
    tags: list[list[str]]
    tag_probs: list[list[list[float]]]
    span_probs: list[list[float]]


def open_tagger(root: Path, manifest: TaggerManifest, *, provider: str) -> TaggerBundle:
    """Open a folder whose files were verified; raises BundleError."""
    words, characters, tags = _read_vocabularies(root, manifest)
    entry = manifest.graphs.tagger
    _check_signature(root / MANIFEST_FILE, "input", entry.inputs, _INPUTS)
    _check_signature(root / MANIFEST_FILE, "output", entry.outputs, _OUTPUTS)
    num_tags = next(tensor for tensor in entry.outputs if tensor.name == "tag_probs").shape[-1]
    if num_tags != len(tags):
        raise BundleError(f"{root / MANIFEST_FILE}: output tag_probs has {num_tags} tags, but there are {len(tags)}")
    graph = Graph.open(root / entry.file, entry, provider=provider)
    bundle = TaggerBundle(manifest, tags, words, characters, graph)
    golden = _read_golden(root / manifest.golden.file)
    try:
        bundle.run(_largest_ids(bundle))
        answers = bundle.tag(golden.sentences)
        _check_golden(root / manifest.golden.file, golden, answers, tolerance=manifest.golden.tolerance)
        reproducible = manifest.reproducible and _rows_stand_alone(bundle, golden.sentences[:_PROBED])
    except BundleError:
        raise
    except Exception as error:  # whatever the runtime raises, this graph cannot serve
        raise BundleError(f"{root / entry.file}: cannot be run: {' '.join(str(error).split())}") from error
    return dataclasses.replace(bundle, reproducible=reproducible)


def _read_vocabularies(
    root: Path, manifest: TaggerManifest
) -> tuple[WordVocabulary, CharacterVocabulary, tuple[str, ...]]:
    entries = manifest.vocabularies
    words = WordVocabulary.read(root / entries.words.file, manifest.tokenization.lookup)
    characters = CharacterVocabulary.read(root / entries.characters.file)
    tags = _read_tags(root / entries.tags.file)
    for entry, size in ((entries.words, len(words)), (entries.characters, len(characters)), (entries.tags, len(tags))):
        if size != entry.size:
            raise BundleError(f"{root / entry.file}: has {size} ids instead of the {entry.size} in {MANIFEST_FILE}")
    expected = make_tags(manifest.architecture.labels, manifest.architecture.scheme)
    if tags != expected:
        raise BundleError(f"{root / entries.tags.file}: has the tags {list(tags)} instead of {list(expected)}")
    return words, characters, tags


def _read_tags(path: Path) -> tuple[str, ...]:
    try:
        return tuple(path.read_bytes().decode("utf-8").removesuffix("\n").split("\n"))
    except UnicodeDecodeError as error:
        raise BundleError(f"{path}: byte {error.start} is not UTF-8") from error


def _read_golden(path: Path) -> Golden:
    try:
        golden = msgspec.json.decode(path.read_bytes(), type=Golden)
    except msgspec.MsgspecError as error:
        raise BundleError(f"{path}: {error}") from error
    counts = {len(golden.sentences), len(golden.tags), len(golden.tag_probs), len(golden.span_probs)}
    if len(counts) != 1 or not golden.sentences or not all(golden.sentences):
        raise BundleError(f"{path}: must hold at least one sentence, none empty, with one answer each")
    return golden


def _check_signature(path: Path, kind: str, tensors: list[Tensor], expected: dict[str, tuple[str, int]]) -> None:
    found = {tensor.name: (tensor.dtype, len(tensor.shape)) for tensor in tensors}
    if found != expected:
        raise BundleError(f"{path}: a tagger's {kind}s are (dtype, rank) {expected}, not {found}")


def _check_golden(path: Path, golden: Golden, answers: list[TaggedSentence], *, tolerance: float) -> None:
    for number, answer in enumerate(answers):
        if list(answer.tags) != golden.tags[number]:
            raise BundleError(f"{path}: sentence {number} gives the tags {list(answer.tags)} instead of the recorded")
        for name in ("tag_probs", "span_probs"):
            recorded = _as_array(path, getattr(golden, name)[number])
            given = getattr(answer, name)
            if recorded.shape != given.shape:
                raise BundleError(
                    f"{path}: sentence {number} gives {name} of shape {given.shape} instead of {recorded.shape}"
                )
            difference = float(np.abs(given.astype(np.float64) - recorded).max())
            if not difference <= tolerance:  # also when it is not a number
                raise BundleError(
                    f"{path}: sentence {number} gives {name} that differ by {difference:.3g}, more than {tolerance:.3g}"
                )


def _as_array(path: Path, values: list[float] | list[list[float]]) -> np.ndarray:
    try:
        return np.array(values, dtype=np.float64)
    except ValueError as error:
        raise BundleError(f"{path}: recorded probabilities have rows of unequal length") from error


def _largest_ids(bundle: TaggerBundle) -> TaggerBatch:
    """Return one word with the largest ids there are: a graph made for smaller vocabularies refuses them."""
    word, character = len(bundle.words) - 1, len(bundle.characters) - 1
    return TaggerBatch(np.array([[word]], np.int32), np.array([[[character]]], np.int32), np.array([1], np.int32))


def _rows_stand_alone(bundle: TaggerBundle, sentences: list[list[str]]) -> bool:
    """Say whether sentences alone, together, and together in another order give the same bits."""
    alone = [bundle.run(bundle.encode([sentence]))[0] for sentence in sentences]
    together = bundle.run(bundle.encode(sentences))
    reversed_back = bundle.run(bundle.encode(sentences[::-1]))[::-1]
    return all(
        first.tags == other.tags
        and first.tag_probs.tobytes() == other.tag_probs.tobytes()
        and first.span_probs.tobytes() == other.span_probs.tobytes()
        for answers in (together, reversed_back)
        for first, other in zip(alone, answers, strict=True)
    )
