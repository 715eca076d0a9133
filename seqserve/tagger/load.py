"""Open a tagger's verified folder and check that it gives its recorded answers."""

from pathlib import Path

import msgspec

from seqserve.bundle import BundleParts
from seqserve.checking import compare, rows_stand_alone
from seqserve.encoding import largest_ids
from seqserve.errors import BundleError
from seqserve.files import MANIFEST_FILE, MAX_VOCABULARY_BYTES, read_file, read_json
from seqserve.kind import Kind
from seqserve.sentence_bundle import read_values
from seqserve.signature import Signature, check_signature, sentence_inputs, tensors
from seqserve.tagger.manifest import CONTINUE_PROBS, TaggerManifest
from seqserve.tagger.model import TaggedSentence, TaggerBundle
from seqserve.tagger.tagger import Tagger
from seqserve.tagger.tags import make_tags
from seqserve.vocabulary.files import check_size

_PROBED = 8  # golden sentences that are compared alone and in a batch


class Golden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sentences of tokens with the answers recorded at export; tag_probs is (T,K) and span_probs (T,) for each."""

    sentences: list[list[str]]
    tags: list[list[str]]
    tag_probs: list[list[list[float]]]
    span_probs: list[list[float]]


def tagger_signature(num_tags: int, *, all_spans: bool = True) -> Signature:
    """Return what a tagger's graph takes and gives; all_spans: it gives what the posterior of any span needs."""
    outputs = tensors(tags="int32 B T", tag_probs=f"float32 B T {num_tags}", span_probs="float32 B T")
    return sentence_inputs(), outputs + tensors(**{CONTINUE_PROBS: f"float32 B T {num_tags}"} if all_spans else {})


def check(root: Path, bundle: TaggerBundle) -> bool:
    """Compare the recorded answers and say whether rows stand alone; raises BundleError."""
    path = root / bundle.manifest.golden.file
    golden = _read_golden(path)
    bundle.run(largest_ids(len(bundle.words), len(bundle.characters)))
    _check_golden(path, golden, bundle.tag(golden.sentences), tolerance=bundle.manifest.golden.tolerance)
    return bundle.manifest.reproducible and rows_stand_alone(
        lambda rows: bundle.run(bundle.encode(rows)), golden.sentences[:_PROBED], _bits
    )


def read_parts(root: Path, manifest: TaggerManifest) -> BundleParts[TaggerBundle]:
    """Read all but the graph; raises BundleError."""
    entry = manifest.vocabularies.tags
    tags = _read_tags(root / entry.file)
    check_size(root, entry, len(tags))
    expected = make_tags(manifest.architecture.labels, manifest.architecture.scheme)
    if tags != expected:
        raise BundleError(f"{root / entry.file}: has the tags {list(tags)} instead of {list(expected)}")
    graph = manifest.graphs.tagger
    signature = tagger_signature(len(tags), all_spans="expected_f1" in manifest.decodings)  # of 0.2.0: not
    check_signature(root / MANIFEST_FILE, "tagger", graph, signature)
    return BundleParts(TaggerBundle, {**read_values(root, manifest), "tags": tags}, {"graph": graph})


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
            what = f"{path}: sentence {number} gives {name}"
            compare(what, getattr(answer, name), getattr(golden, name)[number], tolerance)


def _bits(answer: TaggedSentence) -> object:
    continue_probs = b"" if answer.continue_probs is None else answer.continue_probs.tobytes()
    return answer.tags, answer.tag_probs.tobytes(), answer.span_probs.tobytes(), continue_probs


TAGGER = Kind("tagger", TaggerManifest, TaggerBundle, read_parts, check, Tagger)
