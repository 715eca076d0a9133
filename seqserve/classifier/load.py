"""Open a classifier's verified folder and check that it gives its recorded answers."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from seqserve.classifier.manifest import ClassifierManifest
from seqserve.classifier.model import ClassifierBundle
from seqserve.encoding import largest_ids
from seqserve.entries import Tensor
from seqserve.errors import BundleError
from seqserve.files import read_json
from seqserve.manifest import MANIFEST_FILE
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


def open_classifier(root: Path, manifest: ClassifierManifest, *, provider: str) -> ClassifierBundle:
    """Open a folder whose files were verified; raises BundleError."""
    bundle = open_unchecked(root, manifest, provider=provider)
    path = root / manifest.golden.file
    golden = _read_golden(path, num_labels=len(bundle.labels))
    try:
        bundle.run(largest_ids(len(bundle.words), len(bundle.characters)))
        answers = bundle.classify(golden.texts)
        _check_golden(path, golden, answers, tolerance=manifest.golden.tolerance)
        reproducible = manifest.reproducible and _rows_stand_alone(bundle, golden.texts[:_PROBED])
    except BundleError:
        raise
    except Exception as error:  # whatever the runtime raises, this graph cannot serve
        reason = " ".join(str(error).split())
        raise BundleError(f"{root / manifest.graphs.classifier.file}: cannot be run: {reason}") from error
    return dataclasses.replace(bundle, reproducible=reproducible)


def open_unchecked(root: Path, manifest: ClassifierManifest, *, provider: str = "cpu") -> ClassifierBundle:
    """Open a folder without comparing its answers; raises BundleError."""
    return read_parts(root, manifest).open(root, provider=provider)


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
