"""Open a tagger's verified folder and check that it gives its recorded answers."""

from pathlib import Path

import msgspec
import numpy as np

from seqserve.encoding import largest_ids
from seqserve.entries import Tensor
from seqserve.errors import BundleError
from seqserve.files import MANIFEST_FILE, MAX_VOCABULARY_BYTES, read_file, read_json
from seqserve.kind import Kind
from seqserve.parts import BundleParts
from seqserve.signature import Signature, check_signature, sentence_inputs
from seqserve.tagger.manifest import TaggerManifest
from seqserve.tagger.model import TaggedSentence, TaggerBundle
from seqserve.tagger.tagger import Tagger
from seqserve.tagger.tags import make_tags
from seqserve.vocabulary.files import check_size, read_word_vocabularies

_PROBED = 8  # golden sentences that are compared alone and in a batch


class Golden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sentences of tokens with the answers recorded at export; tag_probs is (T,K) and span_probs (T,) for each."""

    sentences: list[list[str]]
    tags: list[list[str]]
    tag_probs: list[list[list[float]]]
    span_probs: list[list[float]]


def tagger_signature(num_tags: int) -> Signature:
    """Return what a tagger's graph takes and gives."""
    outputs = [
        Tensor(name="tags", dtype="int32", shape=["B", "T"]),
        Tensor(name="tag_probs", dtype="float32", shape=["B", "T", num_tags]),
        Tensor(name="span_probs", dtype="float32", shape=["B", "T"]),
    ]
    return sentence_inputs(), outputs


def check(root: Path, bundle: TaggerBundle) -> bool:
    """Compare the recorded answers and say whether rows stand alone; raises BundleError."""
    path = root / bundle.manifest.golden.file
    golden = _read_golden(path)
    bundle.run(largest_ids(len(bundle.words), len(bundle.characters)))
    _check_golden(path, golden, bundle.tag(golden.sentences), tolerance=bundle.manifest.golden.tolerance)
    return bundle.manifest.reproducible and _rows_stand_alone(bundle, golden.sentences[:_PROBED])


def read_parts(root: Path, manifest: TaggerManifest) -> BundleParts[TaggerBundle]:
    """Read all but the graph; raises BundleError."""
    entries = manifest.vocabularies
    words, characters = read_word_vocabularies(
        root, entries.words, entries.characters, lookup=manifest.tokenization.lookup
    )
    tags = _read_tags(root / entries.tags.file)
    check_size(root, entries.tags, len(tags))
    expected = make_tags(manifest.architecture.labels, manifest.architecture.scheme)
    if tags != expected:
        raise BundleError(f"{root / entries.tags.file}: has the tags {list(tags)} instead of {list(expected)}")
    entry = manifest.graphs.tagger
    check_signature(root / MANIFEST_FILE, "tagger", entry, tagger_signature(len(tags)))
    values = {
        "manifest": manifest,
        "tags": tags,
        "words": words,
        "characters": characters,
        "reproducible": manifest.reproducible,
    }
    return BundleParts(TaggerBundle, values, {"graph": entry})


def _read_tags(path: Path) -> tuple[str, ...]:
    try:
        return tuple(read_file(path, max_bytes=MAX_VOCABULARY_BYTES).decode("utf-8").removesuffix("\n").split("\n"))
    except UnicodeDecodeError as error:
        raise BundleError(f"{path}: byte {error.start} is not UTF-8") from error


def _read_golden(path: Path) -> Golden:
    golden = read_json(path, Golden)
    counts = {len(golden.sentences), len(golden.tags), len(golden.tag_probs), len(golden.span_probs)}
    if len(counts) != 1 or not golden.sentences or not all(golden.sentences):
        raise BundleError(f"{path}: must hold at least one sentence, none empty, with one answer each")
    return golden


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


TAGGER = Kind("tagger", TaggerManifest, TaggerBundle, read_parts, check, Tagger)
