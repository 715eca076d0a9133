"""Open a classifier's verified folder and check that it gives its recorded answers."""

from pathlib import Path

import msgspec

from seqserve.bundle import BundleParts
from seqserve.checking import compare, rows_stand_alone
from seqserve.classifier.classifier import Classifier
from seqserve.classifier.manifest import ClassifierManifest
from seqserve.classifier.model import ClassifierBundle
from seqserve.encoding import largest_ids
from seqserve.errors import BundleError
from seqserve.files import MANIFEST_FILE, read_json
from seqserve.kind import Kind
from seqserve.sentence_bundle import read_values
from seqserve.signature import Signature, check_signature, sentence_inputs, tensors

_PROBED = 8  # golden texts that are compared alone and in a batch


class ClassifierGolden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tokens of texts with the probabilities recorded at export, one of each label."""

    texts: list[list[str]]
    probs: list[list[float]]


def classifier_signature(num_labels: int) -> Signature:
    """Return what a classifier's graph takes and gives."""
    return sentence_inputs(), tensors(probs=f"float32 B {num_labels}")


def check(root: Path, bundle: ClassifierBundle) -> bool:
    """Compare the recorded answers and say whether rows stand alone; raises BundleError."""
    path = root / bundle.manifest.golden.file
    golden = _read_golden(path, num_labels=len(bundle.labels))
    bundle.run(largest_ids(len(bundle.words), len(bundle.characters)))
    for number, (probs, recorded) in enumerate(zip(bundle.classify(golden.texts), golden.probs, strict=True)):
        compare(f"{path}: text {number} gives probabilities", probs, recorded, bundle.manifest.golden.tolerance)
    return bundle.manifest.reproducible and rows_stand_alone(
        lambda rows: bundle.run(bundle.encode(rows)), golden.texts[:_PROBED], lambda probs: probs.tobytes()
    )


def read_parts(root: Path, manifest: ClassifierManifest) -> BundleParts[ClassifierBundle]:
    """Read all but the graph; raises BundleError."""
    entry = manifest.graphs.classifier
    check_signature(root / MANIFEST_FILE, "classifier", entry, classifier_signature(len(manifest.architecture.labels)))
    return BundleParts(ClassifierBundle, read_values(root, manifest), {"graph": entry})


def _read_golden(path: Path, *, num_labels: int) -> ClassifierGolden:
    golden = read_json(path, ClassifierGolden)
    if len(golden.texts) != len(golden.probs) or not golden.texts or not all(golden.texts):
        raise BundleError(f"{path}: must hold at least one text, none empty, with one answer each")
    if any(len(probs) != num_labels for probs in golden.probs):
        raise BundleError(f"{path}: every answer must have one probability for each of the {num_labels} labels")
    return golden


CLASSIFIER = Kind("classifier", ClassifierManifest, ClassifierBundle, read_parts, check, Classifier)
