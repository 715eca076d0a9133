"""Rows of any number and length to runs of few rows and bounded length that carry the state."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from seqserve.language.batches import ScoredRow, ScoreRow
from seqserve.vocabulary.tokens import START_ID

_ROWS = 16  # measured on the tagger: 8 to 16 rows of like length are fastest


def score_in_chunks(
    run: Callable[[Sequence[ScoreRow]], list[ScoredRow]],
    id_rows: Sequence[Sequence[int]],
    *,
    zero_state: NDArray[np.float32],
    max_chunk_tokens: int,
    num_top: int = 0,
) -> list[ScoredRow]:
    """Score rows, each from the start of a text, and return the answers in their order.

    Rows of like length share runs. A row is cut every `max_chunk_tokens` tokens whatever its neighbours are, so that
    its answer does not depend on them. An empty row has an empty answer. Raises what `run` raises.
    """
    results: list[ScoredRow] = [_nothing(zero_state, num_top) for _ in id_rows]
    order = sorted((row for row, ids in enumerate(id_rows) if len(ids)), key=lambda row: len(id_rows[row]))
    for start in range(0, len(order), _ROWS):
        chosen = order[start : start + _ROWS]
        chunks: dict[int, list[ScoredRow]] = {row: [] for row in chosen}
        for begin in range(0, len(id_rows[chosen[-1]]), max_chunk_tokens):
            running = [row for row in chosen if len(id_rows[row]) > begin]
            batch = [
                ScoreRow(
                    previous_id=int(id_rows[row][begin - 1]) if begin else START_ID,
                    ids=np.asarray(id_rows[row][begin : begin + max_chunk_tokens], dtype=np.int32),
                    state=chunks[row][-1].state if begin else zero_state,
                    num_top=num_top,
                )
                for row in running
            ]
            for row, scored in zip(running, run(batch), strict=True):
                chunks[row].append(scored)
        for row in chosen:
            results[row] = _joined(chunks[row])
    return results


def _joined(chunks: list[ScoredRow]) -> ScoredRow:
    if len(chunks) == 1:
        return chunks[0]
    return ScoredRow(
        log_probs=np.concatenate([chunk.log_probs for chunk in chunks]),
        ranks=np.concatenate([chunk.ranks for chunk in chunks]),
        top_ids=np.concatenate([chunk.top_ids for chunk in chunks]),
        top_log_probs=np.concatenate([chunk.top_log_probs for chunk in chunks]),
        state=chunks[-1].state,
    )


def _nothing(zero_state: NDArray[np.float32], num_top: int) -> ScoredRow:
    return ScoredRow(
        log_probs=np.zeros(0, np.float32),
        ranks=np.zeros(0, np.int32),
        top_ids=np.zeros((0, num_top), np.int32),
        top_log_probs=np.zeros((0, num_top), np.float32),
        state=zero_state.copy(),
    )
