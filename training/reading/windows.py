"""Batches of token ids, cut into windows of truncated back-propagation through time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqserve.training.reading.token_ids import TokenIds
from seqserve.vocabulary.tokens import START_ID

_POOL = 4096  # sequences that are sorted by length together


@dataclass(frozen=True)
class Window:
    """previous (B,T) int64 holds y<t-1>, START_ID where x<t> = 0; targets (B,T) y<t>; mask (B,T) True if y<t> is real.

    `starts`: a<0> = 0 for every row; else the state of the window before is carried on.
    """

    previous: Tensor
    targets: Tensor
    mask: Tensor
    starts: bool

    @property
    def num_tokens(self) -> int:
        return int(self.mask.sum())


def sequence_windows(
    corpus: TokenIds, generator: np.random.Generator, *, batch_size: int, batch_tokens: int, bptt_length: int
) -> Iterator[Window]:
    """Yield one pass over the sequences in random order, rows of similar length together, each from x<1> = 0, a<0> = 0.

    `batch_tokens` above 0 lets shorter rows come in wider batches, up to that many positions a window.
    """
    for indices in plan_batches(corpus.lengths(), generator, batch_size, batch_tokens, bptt_length):
        yield from _windows([corpus.sequence(int(i)) for i in indices], bptt_length)


def plan_batches(
    lengths: NDArray[np.int64], generator: np.random.Generator, batch_size: int, batch_tokens: int, bptt_length: int
) -> list[NDArray[np.int64]]:
    """Return every sequence once: shuffled, sorted by length within pools, cut into batches, the batches shuffled."""
    order = generator.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), _POOL):
        pool = order[start : start + _POOL]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        end = len(pool)
        while end > 0:  # longest first, so that each batch is as wide as its longest row allows
            window = min(bptt_length, int(lengths[pool[end - 1]]))
            rows = max(batch_size, batch_tokens // window) if batch_tokens else batch_size
            batches.append(pool[max(0, end - rows) : end])
            end -= rows
    return [batches[i] for i in generator.permutation(len(batches))]


def stream_windows(
    corpus: TokenIds, generator: np.random.Generator | None, *, batch_size: int, bptt_length: int
) -> Iterator[Window]:
    """Yield one pass over a running text cut into `batch_size` streams that carry their state; the first x is 0.

    With a generator the text is rotated by a random number of tokens first, so that windows and streams begin elsewhere
    in each pass. The streams' unfilled places are padding.
    """
    num_tokens = corpus.num_tokens
    length = -(-num_tokens // batch_size)
    offset = int(generator.integers(num_tokens)) if generator is not None else 0
    for first in range(0, length, bptt_length):
        last = min(length, first + bptt_length)
        places = np.arange(batch_size)[:, None] * length + np.arange(first - 1, last)  # (B,T+1)
        is_real = places[:, 1:] < num_tokens
        ids = np.asarray(corpus.ids)[(places + offset) % num_tokens].astype(np.int64)
        if first == 0:
            ids[:, 0] = START_ID
        yield Window(
            torch.from_numpy(ids[:, :-1]), torch.from_numpy(ids[:, 1:]), torch.from_numpy(is_real), starts=first == 0
        )


def _windows(rows: list[NDArray[np.int64]], bptt_length: int) -> Iterator[Window]:
    lengths = np.array([len(row) for row in rows])
    ids = np.zeros((len(rows), int(lengths.max()) + 1), np.int64)
    ids[:, 0] = START_ID
    for number, row in enumerate(rows):
        ids[number, 1 : len(row) + 1] = row
    for first in range(0, ids.shape[1] - 1, bptt_length):
        piece = ids[:, first : first + bptt_length + 1]
        mask = np.arange(first, first + piece.shape[1] - 1) < lengths[:, None]
        yield Window(
            torch.from_numpy(piece[:, :-1].copy()),
            torch.from_numpy(piece[:, 1:].copy()),
            torch.from_numpy(mask),
            first == 0,
        )
