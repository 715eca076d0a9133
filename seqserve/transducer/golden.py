"""Recorded answers of an encoder-decoder: written when a bundle is made, compared when it is loaded."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from seqserve.checking import compare
from seqserve.errors import BundleError
from seqserve.files import read_json
from seqserve.transducer.beam import Search
from seqserve.transducer.model import Encoded, TransducerBundle, TransduceRow
from seqserve.vocabulary.tokens import START_ID

_TOP = 4  # a recorded token is the best one; on another machine near ties may stand the other way round
_DECIMALS = 6
_MOST_TOKENS = 40


class GoldenPair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Source ids (S,), the ids of the greedy answer (T,) and their log-probabilities (T,)."""

    source_ids: list[int]
    target_ids: list[int]
    log_probs: list[float]


class TransducerGolden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of an encoder-decoder's golden.json."""

    pairs: list[GoldenPair]


def record_golden(bundle: TransducerBundle, texts: Sequence[NDArray[np.int32]]) -> TransducerGolden:
    """Return a bundle's greedy answers for rows of source ids; raises ValueError when there is none."""
    if not texts:
        raise ValueError("a golden record needs at least one text")
    rows = [TransduceRow(ids, Search(beams=1, max_tokens=_MOST_TOKENS)) for ids in texts]
    pairs = []
    for row, answer in zip(rows, bundle.transduce(rows), strict=True):
        source_ids, target_ids = row.source_ids.tolist(), list(answer.ids)
        log_probs = _forced(bundle, source_ids, target_ids)
        pairs.append(GoldenPair(source_ids, target_ids, np.round(log_probs, _DECIMALS).tolist()))
    return TransducerGolden(pairs)


def read_golden(path: Path, *, num_source: int, num_target: int) -> TransducerGolden:
    """Read a golden.json; raises BundleError when it is malformed, its parts differ in length or ids do not exist."""
    golden = read_json(path, TransducerGolden)
    if not golden.pairs:
        raise BundleError(f"{path}: must hold at least one pair")
    for number, pair in enumerate(golden.pairs):
        if not pair.source_ids or not pair.target_ids or len(pair.target_ids) != len(pair.log_probs):
            raise BundleError(f"{path}: pair {number} is empty or its lists differ in length")
        for ids, size in ((pair.source_ids, num_source), (pair.target_ids, num_target)):
            if min(ids) < 0 or max(ids) >= size:
                raise BundleError(f"{path}: pair {number} holds ids beyond 0 to {size - 1}")
    return golden


def check_golden(path: Path, golden: TransducerGolden, bundle: TransducerBundle) -> None:
    """Compare the log-probabilities of the recorded answers with the recorded ones; raises BundleError."""
    tolerance = bundle.manifest.golden.tolerance
    for number, pair in enumerate(golden.pairs):
        try:
            found = _forced(bundle, pair.source_ids, pair.target_ids)
        except LookupError as error:
            raise BundleError(f"{path}: pair {number}: {error}") from error
        compare(f"{path}: pair {number} gives log_probs", found, pair.log_probs, tolerance)


def _forced(bundle: TransducerBundle, source_ids: Sequence[int], target_ids: Sequence[int]) -> NDArray[np.float64]:
    """Return log P of each target id after the true ones before it, (T,).

    Raises LookupError when one is not among the most likely.
    """
    encoded = bundle.encode([np.array(source_ids, np.int32)])
    found = []
    for place, (previous, target) in enumerate(zip((START_ID, *target_ids), target_ids, strict=False)):
        decoded = bundle.decode(encoded, np.array([previous], np.int32), num_top=_TOP)
        top = decoded.top_ids[0].tolist()
        if target not in top:
            raise LookupError(f"the recorded id {target} at token {place} is none of the {_TOP} most likely, {top}")
        found.append(float(decoded.top_log_probs[0, top.index(target)]))
        encoded = Encoded(decoded.state, encoded.lengths, encoded.memory)
    return np.array(found)
