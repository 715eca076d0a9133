"""Open an encoder-decoder's verified folder, check its recorded answers, and see whether rows stand alone."""

from pathlib import Path

import numpy as np

from seqserve.bundle import BundleParts
from seqserve.checking import rows_stand_alone
from seqserve.errors import BundleError
from seqserve.files import MANIFEST_FILE
from seqserve.kind import Kind
from seqserve.signature import check_signature
from seqserve.transducer.beam import Search
from seqserve.transducer.golden import check_golden, read_golden
from seqserve.transducer.manifest import TransducerManifest
from seqserve.transducer.model import TransducerBundle, TransduceRow
from seqserve.transducer.signature import decode_signature, encode_signature
from seqserve.transducer.transducer import Transducer
from seqserve.vocabulary.files import read_tokens
from seqserve.vocabulary.tokens import START_ID, UNKNOWN_ID

_PROBED_TEXTS = 6
_PROBED_BEAMS = (1, 3)
_PROBED_TOKENS = 12
_MASS_TOLERANCE = 1e-3


def check(root: Path, bundle: TransducerBundle) -> bool:
    """Compare the recorded answers and say whether rows stand alone; raises BundleError."""
    manifest = bundle.manifest
    path = root / manifest.golden.file
    _check_ids(root / manifest.graphs.decode.file, bundle)
    golden = read_golden(path, num_source=len(bundle.source), num_target=len(bundle.target))
    check_golden(path, golden, bundle)
    rows = [
        TransduceRow(
            np.array(pair.source_ids, np.int32), Search(_PROBED_BEAMS[number % len(_PROBED_BEAMS)], _PROBED_TOKENS)
        )
        for number, pair in enumerate(golden.pairs[:_PROBED_TEXTS])
    ]
    return manifest.reproducible and rows_stand_alone(bundle.run, rows, lambda found: found)


def read_parts(root: Path, manifest: TransducerManifest) -> BundleParts[TransducerBundle]:
    """Read all but the graphs; raises BundleError."""
    vocabularies, tokenization = manifest.vocabularies, manifest.tokenization
    source = read_tokens(root, vocabularies.source, tokenization.source)
    target = read_tokens(root, vocabularies.target, tokenization.target)
    sizes = manifest.architecture.state_size, manifest.architecture.memory_size
    encode, decode = manifest.graphs.encode, manifest.graphs.decode
    check_signature(root / MANIFEST_FILE, "encode", encode, encode_signature(*sizes))
    check_signature(root / MANIFEST_FILE, "decode", decode, decode_signature(*sizes))
    values = {"manifest": manifest, "source": source, "target": target, "reproducible": manifest.reproducible}
    return BundleParts(TransducerBundle, values, {"encode_graph": encode, "decode_graph": decode})


def _check_ids(path: Path, bundle: TransducerBundle) -> None:
    """Refuse graphs made for other vocabularies: each target id but <UNK> can be chosen, and no other.

    The last source id is read too.
    """
    size = len(bundle.target)
    encoded = bundle.encode([np.array([len(bundle.source) - 1], np.int32)])
    decoded = bundle.decode(encoded, np.array([START_ID], np.int32), num_top=size)
    bundle.decode(encoded, np.array([size - 1], np.int32), num_top=1)
    expected = [token_id for token_id in range(size) if token_id != UNKNOWN_ID]
    if np.sort(decoded.top_ids[0]).tolist() != expected:
        raise BundleError(f"{path}: chooses among {decoded.top_ids.shape[1]} ids instead of the {size - 1} known ones")
    mass = float(np.exp(decoded.top_log_probs.astype(np.float64)).sum())
    if not mass <= 1 + _MASS_TOLERANCE:
        raise BundleError(f"{path}: the known ids have the probability {mass:.6g}, more than 1")


TRANSDUCER = Kind("encoder-decoder", TransducerManifest, TransducerBundle, read_parts, check, Transducer)
