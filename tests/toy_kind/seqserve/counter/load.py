"""Open a counter's verified folder."""

from pathlib import Path

import msgspec

from seqserve.bundle import BundleParts
from seqserve.counter.counter import Counter
from seqserve.counter.manifest import CounterManifest
from seqserve.counter.model import CounterBundle
from seqserve.errors import BundleError
from seqserve.files import read_json
from seqserve.kind import Kind

GOLDEN_WORDS = ("one", "two")


class CounterGolden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer to GOLDEN_WORDS."""

    count: int


def read_parts(root: Path, manifest: CounterManifest) -> BundleParts[CounterBundle]:
    """Read the weight; raises BundleError."""
    weight = read_json(root / manifest.weights.file, int)
    values = {"manifest": manifest, "weight": weight, "reproducible": manifest.reproducible}
    return BundleParts(CounterBundle, values, {})


def check(root: Path, bundle: CounterBundle) -> bool:
    """Compare the recorded answer; raises BundleError."""
    path = root / bundle.manifest.golden.file
    if bundle.run([GOLDEN_WORDS]) != [read_json(path, CounterGolden).count]:
        raise BundleError(f"{path}: gives another count than the recorded")
    return True


COUNTER = Kind("counter", CounterManifest, CounterBundle, read_parts, check, Counter)
