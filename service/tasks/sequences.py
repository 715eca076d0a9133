"""Token ids of any length through a language model's batcher: texts advance together, chunk by chunk."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqserve.language.model import ScoreRow
from seqserve.service.engine.cancellation import Cancellation
from seqserve.service.engine.models import LanguageModel
from seqserve.vocabulary.tokens import START_ID

Ids = NDArray[np.int32]


class Scores(NamedTuple):
    """Of T tokens: log_probs (T,), natural logarithms; with num_top k also ranks (T,), top_ids, top_log_probs (T,k)."""

    log_probs: NDArray[np.float32]
    ranks: NDArray[np.int32]
    top_ids: NDArray[np.int32]
    top_log_probs: NDArray[np.float32]


class Timing(NamedTuple):
    """Seconds that rows waited for the graph, and until their answers were there from then on."""

    queue_s: float = 0.0
    compute_s: float = 0.0


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


class _Place(NamedTuple):
    """Where a text goes on: the last id, which is not read yet, and the state (S,) before it."""

    previous_id: int
    state: NDArray[np.float32]


def score_sequences(
    model: LanguageModel, sequences: Sequences, *, num_top: int, cancellation: Cancellation
) -> tuple[list[Scores], Timing]:
    """Score all texts; cancellation is looked at between chunks. The caller holds room in the queue.

    With num_top 0 neither ranks nor alternatives are computed. Raises DeadlineExceededError, ClientLeftError and
    InternalError.
    """
    start = _Place(START_ID, model.bundle.zero_state())
    at_start = [start] * len(sequences.contexts)
    _, places, before = _advance(model, sequences.contexts, at_start, num_top=0, cancellation=cancellation)
    begins = [places[context] for context in sequences.context_of]
    scores, _, then = _advance(model, sequences.texts, begins, num_top=num_top, cancellation=cancellation)
    return scores, Timing(before.queue_s + then.queue_s, before.compute_s + then.compute_s)


def _advance(
    model: LanguageModel, id_rows: Sequence[Ids], begins: Sequence[_Place], *, num_top: int, cancellation: Cancellation
) -> tuple[list[Scores], list[_Place], Timing]:
    # A text is cut every max_chunk_tokens whatever its neighbours are, so that its numbers do not depend on them.
    size = model.manifest.limits.max_chunk_tokens
    nothing = _nothing(num_top)
    chunks: list[list[Scores]] = [[] for _ in id_rows]
    places = list(begins)
    queue_s = compute_s = 0.0
    begin = 0
    while running := [number for number, ids in enumerate(id_rows) if len(ids) > begin]:
        if begin:
            cancellation.check()
        rows = [
            ScoreRow(places[number].previous_id, id_rows[number][begin : begin + size], places[number].state, num_top)
            for number in running
        ]
        answer = model.batcher.submit(rows, [len(row.ids) for row in rows], cancellation=cancellation)
        queue_s += answer.queue_s
        compute_s += answer.compute_s
        for number, row, scored in zip(running, rows, answer.results, strict=True):
            chunks[number].append(Scores(scored.log_probs, scored.ranks, scored.top_ids, scored.top_log_probs))
            places[number] = _Place(int(row.ids[-1]), scored.state)
        begin += size
    return [_joined(parts) if parts else nothing for parts in chunks], places, Timing(queue_s, compute_s)


def _joined(parts: list[Scores]) -> Scores:
    return parts[0] if len(parts) == 1 else Scores(*map(np.concatenate, zip(*parts, strict=True)))


def _nothing(num_top: int) -> Scores:
    return Scores(
        np.zeros(0, np.float32),
        np.zeros(0, np.int32),
        np.zeros((0, num_top), np.int32),
        np.zeros((0, num_top), np.float32),
    )
