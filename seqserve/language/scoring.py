"""Token ids of any number and length through the score graph: rows advance together, in chunks that carry the state."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqserve.batches import run_planned
from seqserve.language.batches import ScoredRow, ScoreRow
from seqserve.language.manifest import LanguageModelManifest
from seqserve.vocabulary.tokens import START_ID, UNKNOWN_ID

Ids = NDArray[np.int32]
RunRows = Callable[[Sequence[ScoreRow]], Sequence[ScoredRow]]
"""Scores rows that are no longer than a chunk, and returns what each got, in order: a bundle's own, or a queue's."""

_Chunk = tuple[NDArray[np.floating[Any]], NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]
"""All of a ScoredRow but its state: a text of many chunks must not keep the state of each."""

_LN_10 = math.log(10.0)


@dataclass(frozen=True, slots=True)
class Sequences:
    """Texts to score, ids (T,) int32 each; text i comes after contexts[context_of[i]], which is computed once."""

    texts: Sequence[Ids]
    contexts: Sequence[Ids]
    context_of: Sequence[int]

    @property
    def num_tokens(self) -> int:
        """Tokens that the graph has to read: texts, and each context once."""
        return sum(map(len, self.texts)) + sum(map(len, self.contexts))


class Position(NamedTuple):
    """Where a text goes on: the last id, which is not read yet, and the state (S,) before it."""

    previous_id: int
    state: NDArray[np.float32]

    @classmethod
    def start(cls, manifest: LanguageModelManifest) -> "Position":
        """Return the start of a text."""
        return cls(START_ID, np.zeros(manifest.architecture.state_size, np.float32))


def score_sequences(
    run: RunRows, sequences: Sequences, manifest: LanguageModelManifest, *, num_top: int = 0
) -> list[ScoredRow]:
    """Score all texts, each after its context; an empty text has an empty answer. Raises what `run` raises.

    With num_top 0 neither ranks nor alternatives are computed.
    """
    size = manifest.limits.max_chunk_tokens
    start = Position.start(manifest)
    at_start = [start] * len(sequences.contexts)
    contexts = score_in_chunks(run, sequences.contexts, at_start, max_chunk_tokens=size)
    ends = [
        Position(int(ids[-1]), read.state) if len(ids) else start
        for ids, read in zip(sequences.contexts, contexts, strict=True)
    ]
    begins = [ends[context] for context in sequences.context_of]
    return score_in_chunks(run, sequences.texts, begins, max_chunk_tokens=size, num_top=num_top)


def score_in_chunks(
    run: RunRows, id_rows: Sequence[Ids], begins: Sequence[Position], *, max_chunk_tokens: int, num_top: int = 0
) -> list[ScoredRow]:
    """Score rows of ids (T,) int32, each from where it begins; `run` is called once for each chunk of the longest.

    A row is cut every `max_chunk_tokens` tokens in any batch, so that its answer does not depend on its neighbours.
    """
    chunks: list[list[_Chunk]] = [[] for _ in id_rows]
    positions = list(begins)
    begin = 0
    while running := [number for number, ids in enumerate(id_rows) if len(ids) > begin]:
        rows = [
            ScoreRow(
                positions[number].previous_id,
                id_rows[number][begin : begin + max_chunk_tokens],
                positions[number].state,
                num_top,
            )
            for number in running
        ]
        for number, row, scored in zip(running, rows, run(rows), strict=True):
            chunks[number].append((scored.log_probs, scored.ranks, scored.top_ids, scored.top_log_probs))
            positions[number] = Position(int(row.ids[-1]), scored.state)
        begin += max_chunk_tokens
    return [_joined(parts, position.state, num_top) for parts, position in zip(chunks, positions, strict=True)]


def run_in_batches(run: RunRows, rows: Sequence[ScoreRow]) -> list[ScoredRow]:
    """Run rows of like length together, few at a time, and those that want alternatives apart from the others.

    Looking at the whole vocabulary for rows that asked for nothing of it costs time, and an answer must not depend on
    what others asked for.
    """
    scored: dict[int, ScoredRow] = {}
    for wanted in (False, True):
        group = [place for place, row in enumerate(rows) if bool(row.num_top) is wanted]
        found = run_planned(run, [rows[place] for place in group], [len(rows[place].ids) for place in group])
        scored.update((group[number], result) for number, result in found.items())
    return [scored[place] for place in range(len(rows))]


@dataclass(frozen=True, slots=True)
class Sums:
    """What is known of some tokens together; logarithms are natural, sums in float64."""

    log_prob: float = 0.0
    num_tokens: int = 0
    log_prob_known: float = 0.0
    num_unknown: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        """Return the sums over both."""
        return Sums(
            self.log_prob + other.log_prob,
            self.num_tokens + other.num_tokens,
            self.log_prob_known + other.log_prob_known,
            self.num_unknown + other.num_unknown,
        )

    @property
    def log10_prob(self) -> float:
        """The logarithm to base 10."""
        return self.log_prob / _LN_10

    @property
    def perplexity(self) -> float | None:
        """exp(-log_prob / num_tokens); None without tokens and where that overflows."""
        return _perplexity(self.log_prob, self.num_tokens)

    @property
    def perplexity_known(self) -> float | None:
        """The same without unknown tokens."""
        return _perplexity(self.log_prob_known, self.num_tokens - self.num_unknown)


def sums_of(ids: Ids, log_probs: NDArray[np.floating[Any]]) -> Sums:
    """Add up the tokens of one text."""
    exact = log_probs.astype(np.float64)
    total = float(exact.sum())
    is_known = ids != UNKNOWN_ID
    num_unknown = len(ids) - int(np.count_nonzero(is_known))
    return Sums(total, len(ids), float(exact[is_known].sum()) if num_unknown else total, num_unknown)


def _perplexity(log_prob: float, num_tokens: int) -> float | None:
    if not num_tokens:
        return None
    try:
        return math.exp(-log_prob / num_tokens)
    except OverflowError:
        return None


def _joined(parts: Sequence[_Chunk], state: NDArray[np.float32], num_top: int) -> ScoredRow:
    if not parts:
        nothing = np.zeros((0, num_top), np.int32), np.zeros((0, num_top), np.float32)
        return ScoredRow(np.zeros(0, np.float32), np.zeros(0, np.int32), *nothing, state)
    log_probs, ranks, top_ids, top_log_probs = (
        parts[0] if len(parts) == 1 else map(np.concatenate, zip(*parts, strict=True))
    )
    return ScoredRow(log_probs, ranks, top_ids, top_log_probs, state)
