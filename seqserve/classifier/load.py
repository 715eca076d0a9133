"""Open a classifier's verified folder and check that it gives its recorded answers."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from seqserve.classifier.classifier import Classifier
from seqserve.classifier.manifest import ClassifierManifest
from seqserve.classifier.model import ClassifierBundle
from seqserve.encoding import largest_ids
from seqserve.entries import Tensor
from seqserve.errors import BundleError
from seqserve.files import MANIFEST_FILE, read_json
from seqserve.kind import Kind
from seqserve.parts import BundleParts
from seqserve.signature import Signature, check_signature, sentence_inputs
from seqserve.vocabulary.files import read_word_vocabularies

_PROBED = 8  # golden texts that are compared alone and in a batch


class ClassifierGolden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tokens of texts with the probabilities recorded at export, one of each label."""

    texts: list[list[str]]
    probs: list[list[float]]


def classifier_signature(num_labels: int) -> Signature:
    """Return what a classifier's graph takes and gives."""
    return sentence_inputs(), [Tensor(name="probs", dtype="float32", shape=["B", num_labels])]


def check(root: Path, bundle: ClassifierBundle) -> bool:
    """Compare the recorded answers and say whether rows stand alone; raises BundleError."""
    path = root / bundle.manifest.golden.file
    golden = _read_golden(path, num_labels=len(bundle.labels))
    bundle.run(largest_ids(len(bundle.words), len(bundle.characters)))
    _check_golden(path, golden, bundle.classify(golden.texts), tolerance=bundle.manifest.golden.tolerance)
    return bundle.manifest.reproducible and _rows_stand_alone(bundle, golden.texts[:_PROBED])


def read_parts(root: Path, manifest: ClassifierManifest) -> BundleParts[ClassifierBundle]:
    """Read all but the graph; raises BundleError."""
    entries = manifest.vocabularies
    words, characters = read_word_vocabularies(
        root, entries.words, entries.characters, lookup=manifest.tokenization.lookup
    )
    entry = manifest.graphs.classifier
    check_signature(root / MANIFEST_FILE, "classifier", entry, classifier_signature(len(manifest.architecture.labels)))
    values = {
        "manifest": manifest,
        "words": words,
        "characters": characters,
        "reproducible": manifest.reproducible,
    }
    return BundleParts(ClassifierBundle, values, {"graph": entry})


def _read_golden(path: Path, *, num_labels: int) -> ClassifierGolden:
    golden = read_json(path, ClassifierGolden)
    if len(golden.texts) != len(golden.probs) or not golden.texts or not all(golden.texts):
        raise BundleError(f"{path}: must hold at least one text, none empty, with one answer each")
    if any(len(probs) != num_labels for probs in golden.probs):
        raise BundleError(f"{path}: every answer must have one probability for each of the {num_labels} labels")
    return golden


def _check_golden(
    path: Path, golden: ClassifierGolden, answers: Sequence[NDArray[np.float32]], *, tolerance: float
) -> None:
    for number, (probs, recorded) in enumerate(zip(answers, golden.probs, strict=True)):
        difference = float(np.abs(probs.astype(np.float64) - np.array(recorded)).max())
        if not difference <= tolerance:  # also when it is not a number
            raise BundleError(
                f"{path}: text {number} gives probabilities that differ by {difference:.3g}, more than {tolerance:.3g}"
            )


def _rows_stand_alone(bundle: ClassifierBundle, texts: Sequence[Sequence[str]]) -> bool:
    """Say whether texts alone, together, and together in another order give the same bits."""
    alone = [bundle.run(bundle.encode([text]))[0].tobytes() for text in texts]
    together = bundle.run(bundle.encode(texts))
    reversed_back = bundle.run(bundle.encode(texts[::-1]))[::-1]
    return all(alone == [row.tobytes() for row in rows] for rows in (together, reversed_back))


CLASSIFIER = Kind("classifier", ClassifierManifest, ClassifierBundle, read_parts, check, Classifier)
