"""Pairs of texts as token ids, padded into batches."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqserve.vocabulary.tokens import EOS_ID, START_ID, TokenVocabulary


@dataclass(frozen=True)
class Pair:
    """Ids of the source (S,), and of the target (T,) with its <EOS>, both int64."""

    source: NDArray[np.int64]
    target: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.source) + len(self.target)


@dataclass(frozen=True)
class PairBatch:
    """Padded pairs, all int64 but mask: source (B,S) and its lengths (B,), previous and targets (B,T), mask (B,T).

    previous holds y<t-1>, START_ID where x<1> = 0; mask is True where y<t> is real.
    """

    source: Tensor
    lengths: Tensor
    previous: Tensor
    targets: Tensor
    mask: Tensor


def encode_pair(source: Sequence[str], target: Sequence[str], vocabularies: Sequence[TokenVocabulary]) -> Pair:
    """Look up both sides' tokens, in the vocabulary of each."""
    of_source, of_target = vocabularies
    source_ids = [of_source.lookup(token) for token in source]
    target_ids = [of_target.lookup(token) for token in target]
    return Pair(np.array(source_ids, np.int64), np.array([*target_ids, EOS_ID], np.int64))


def batch_pairs(pairs: Sequence[Pair]) -> PairBatch:
    """Pad pairs to the longest on each side; a source is never empty."""
    lengths = np.array([len(pair.source) for pair in pairs])
    sizes = np.array([len(pair.target) for pair in pairs])
    source = np.zeros((len(pairs), int(lengths.max())), np.int64)
    ids = np.zeros((len(pairs), int(sizes.max()) + 1), np.int64)
    ids[:, 0] = START_ID
    for row, pair in enumerate(pairs):
        source[row, : len(pair.source)] = pair.source
        ids[row, 1 : len(pair.target) + 1] = pair.target
    return PairBatch(
        torch.from_numpy(source),
        torch.from_numpy(lengths),
        torch.from_numpy(ids[:, :-1].copy()),
        torch.from_numpy(ids[:, 1:].copy()),
        torch.from_numpy(np.arange(ids.shape[1] - 1) < sizes[:, None]),
    )
