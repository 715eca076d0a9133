"""Rows and batches that a language model's two graphs take and give, padded and checked before the runtime sees them.

Zero rows or lengths abort the process or give zeros, and ids out of range read another's memory: every array is looked
at here, and what is wrong is a ValueError that names it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqserve.arrays import check_array, check_finite, check_range
from seqserve.vocabulary.tokens import EOS_ID, START_ID

PADDING = -1
"""Ends the rows of `banned_ids` and `repeated_ids`."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoreRow:
    """Tokens to score: ids (T,) int32, T >= 1, after `previous_id` (START_ID or an id) with state (S,) float32.

    num_top: how many alternatives to find at each place; 0 also leaves the ranks out.
    """

    previous_id: int
    ids: NDArray[np.int32]
    state: NDArray[np.float32]
    num_top: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class ScoredRow:
    """Scores of T tokens: log_probs (T,), natural logarithms; state (S,) after all but the last token was read.

    With num_top k: ranks (T,), 1 for the most likely token; top_ids and top_log_probs (T,k), most likely first. With
    num_top 0 the ranks are 0: they were not computed.
    """

    log_probs: NDArray[np.floating[Any]]
    ranks: NDArray[np.int32]
    top_ids: NDArray[np.int32]
    top_log_probs: NDArray[np.float32]
    state: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class StepBatch:
    """One token for each of B rows: read previous_ids (B,) int32 (START_ID: the zero input) and draw the next.

    state (B,S) and all parameters but ids are float32: uniforms (B,) in [0,1), temperatures (B,) (0: greedy), top_ks
    (B,) int32 (0: off), top_ps (B,) (1: off), min_ps (B,) (0: off), repetition_penalties (B,) (1: off). banned_ids
    (B,M) and repeated_ids (B,R), M, R >= 1, int32: no id twice in a row, padded with PADDING.
    """

    previous_ids: NDArray[np.int32]
    state: NDArray[np.float32]
    uniforms: NDArray[np.float32]
    temperatures: NDArray[np.float32]
    top_ks: NDArray[np.int32]
    top_ps: NDArray[np.float32]
    min_ps: NDArray[np.float32]
    repetition_penalties: NDArray[np.float32]
    banned_ids: NDArray[np.int32]
    repeated_ids: NDArray[np.int32]

    def feeds(self) -> dict[str, NDArray[Any]]:
        """Return the arrays under the names of the graph's inputs."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True, eq=False)
class StepResult:
    """What was drawn: next_ids (B,) int32 (-1: everything was banned), and the new state (B,S).

    log_probs (B,): natural logarithms under the model itself, temperature 1 and nothing cut.
    """

    next_ids: NDArray[np.int32]
    log_probs: NDArray[np.float32]
    state: NDArray[np.float32]


def score_feeds(
    rows: Sequence[ScoreRow], *, num_tokens: int, state_size: int, max_chunk_tokens: int
) -> dict[str, NDArray[Any]]:
    """Check and pad rows to the score graph's inputs; `num_tokens` is the size of the vocabulary."""
    if not rows:
        raise ValueError("rows must hold at least one row")
    for number, row in enumerate(rows):
        _check_row(f"rows[{number}]", row, num_tokens, state_size, max_chunk_tokens)
    lengths = np.array([len(row.ids) for row in rows], dtype=np.int32)
    real = np.arange(lengths.max()) < lengths[:, None]  # (B,T)
    target_ids = np.full(real.shape, EOS_ID, dtype=np.int32)
    target_ids[real] = np.concatenate([row.ids for row in rows])
    previous_ids = np.empty_like(target_ids)
    previous_ids[:, 0] = [row.previous_id for row in rows]
    previous_ids[:, 1:] = target_ids[:, :-1]
    return {
        "previous_ids": previous_ids,
        "target_ids": target_ids,
        "lengths": lengths,
        "state": np.stack([row.state for row in rows]),
        "num_top": np.array([max(row.num_top for row in rows)], dtype=np.int64),
    }


def scored_rows(rows: Sequence[ScoreRow], outputs: dict[str, NDArray[Any]]) -> list[ScoredRow]:
    """Cut the score graph's outputs to what each row asked for."""
    results = []
    for number, row in enumerate(rows):
        length, top = len(row.ids), row.num_top
        ranks = outputs["ranks"][number, :length].copy()  # a view would keep the whole batch alive
        results.append(
            ScoredRow(
                log_probs=outputs["log_probs"][number, :length].copy(),
                ranks=ranks if top else np.zeros_like(ranks),
                top_ids=outputs["top_ids"][number, :length, :top].copy(),
                top_log_probs=outputs["top_log_probs"][number, :length, :top].copy(),
                state=outputs["next_state"][number].copy(),
            )
        )
    return results


def check_ids(previous_ids: NDArray[np.int32], *, num_tokens: int) -> None:
    """Refuse ids that are neither START_ID nor of the vocabulary, whose size is `num_tokens`."""
    ids = previous_ids.tolist()  # of a few rows, this is several times faster than numpy's smallest and largest
    if min(ids) < START_ID or max(ids) >= num_tokens:
        check_range("previous_ids", previous_ids, START_ID, num_tokens - 1)


def step_result(outputs: dict[str, NDArray[Any]]) -> StepResult:
    """Name the step graph's outputs; raises ValueError when a log-probability is no number, as after a broken state."""
    log_probs = outputs["log_probs"]
    if not np.isfinite(log_probs).all():
        raise ValueError("state has led to a log-probability that is not finite")
    return StepResult(outputs["next_ids"], log_probs, outputs["next_state"])


def check_step(batch: StepBatch, *, num_tokens: int, state_size: int) -> None:
    """Refuse arrays that the step graph must never see; `num_tokens` is the size of the vocabulary."""
    check_array("previous_ids", batch.previous_ids, np.int32, 1)
    num_rows = len(batch.previous_ids)
    check_ids(batch.previous_ids, num_tokens=num_tokens)
    check_array("state", batch.state, np.float32, 2)
    if batch.state.shape != (num_rows, state_size):
        raise ValueError(f"state must have the shape {(num_rows, state_size)}, not {batch.state.shape}")
    check_finite("state", batch.state)
    for name in ("uniforms", "temperatures", "top_ps", "min_ps", "repetition_penalties"):
        check_array(name, getattr(batch, name), np.float32, 1, num_rows)
        check_finite(name, getattr(batch, name))
    check_array("top_ks", batch.top_ks, np.int32, 1, num_rows)
    for name, fits, rule in (
        ("uniforms", (batch.uniforms >= 0) & (batch.uniforms < 1), "at least 0 and below 1"),
        ("temperatures", batch.temperatures >= 0, "at least 0"),
        ("top_ks", batch.top_ks >= 0, "at least 0"),
        ("top_ps", (batch.top_ps > 0) & (batch.top_ps <= 1), "above 0 and at most 1"),
        ("min_ps", (batch.min_ps >= 0) & (batch.min_ps <= 1), "0 to 1"),
        ("repetition_penalties", batch.repetition_penalties > 0, "above 0"),
    ):
        if not fits.all():
            raise ValueError(f"{name} must be {rule}, but row {int(fits.argmin())} is not")
    for name in ("banned_ids", "repeated_ids"):
        array = getattr(batch, name)
        check_array(name, array, np.int32, 2, num_rows)
        check_range(name, array, PADDING, num_tokens - 1)
        ordered = np.sort(array, axis=1)
        if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != PADDING)).any():
            raise ValueError(f"{name} must not hold an id twice in a row")


def _check_row(name: str, row: ScoreRow, num_tokens: int, state_size: int, max_chunk_tokens: int) -> None:
    check_array(f"{name}.ids", row.ids, np.int32, 1)
    if len(row.ids) > max_chunk_tokens:
        raise ValueError(f"{name}.ids holds {len(row.ids)} ids, more than the {max_chunk_tokens} of max_chunk_tokens")
    check_range(f"{name}.ids", row.ids, 0, num_tokens - 1)
    if not START_ID <= row.previous_id < num_tokens:
        raise ValueError(f"{name}.previous_id must lie in {START_ID} to {num_tokens - 1}, but is {row.previous_id}")
    if not 0 <= row.num_top <= num_tokens:
        raise ValueError(f"{name}.num_top must lie in 0 to {num_tokens}, but is {row.num_top}")
    check_array(f"{name}.state", row.state, np.float32, 1, state_size)
    check_finite(f"{name}.state", row.state)
