"""Pairs of texts as token ids: what an encoder-decoder learns from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqserve.text.apostrophes import plain_text
from seqserve.text.tokenizers import TOKENIZERS
from seqserve.training.reading.text import TextError, is_in_part, read_lines
from seqserve.training.reading.token_ids import CorpusError
from seqserve.training.setup import data_path
from seqserve.training.transducers.config import PairFile, SideOptions
from seqserve.vocabulary.tokens import EOS_ID, FIRST_ID, RESERVED_FORMS, START_ID, TokenVocabulary


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


def read_texts(file: PairFile) -> Iterator[tuple[str, str]]:
    """Yield source and target of each line of the file's part; raises TextError."""
    path = data_path(file.file)
    last = max(file.source_column, file.target_column)
    for number, line in enumerate(read_lines(path), 1):
        columns = line.split("\t")
        if len(columns) <= last:
            raise TextError(f"{path}, line {number}: has {len(columns)} columns, no column {last}")
        source, target = columns[file.source_column], columns[file.target_column]
        if is_in_part(source, file.part):
            yield source, target


def tokens_of(text: str, options: SideOptions) -> list[str]:
    """The tokens of one side, as the service finds them."""
    return [token.text for token in TOKENIZERS[options.tokenization](plain_text(text))]


def build_vocabulary(rows: Iterable[Sequence[str]], options: SideOptions, name: str) -> TokenVocabulary:
    """The most frequent types, by falling count, then by first sight; raises CorpusError when there is none."""
    counts = Counter(token for row in rows for token in row if token not in RESERVED_FORMS)
    kept = [form for form, count in counts.most_common() if count >= options.min_count]
    if not kept:
        raise CorpusError(f"{name}: the training pairs hold no token {options.min_count} times")
    most = options.max_vocabulary - FIRST_ID if options.max_vocabulary else len(kept)
    return TokenVocabulary(kept[:most], steps=options.lookup, name=name)


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
