"""What a language model's graphs must never see is refused by name."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from seqserve.language.batches import ScoreRow, check_step, score_feeds, scored_rows
from tests.toy_language_model import step_batch

SIZES: dict[str, int] = {"num_tokens": 8, "state_size": 3}


def row(ids: Any = (2, 3), previous_id: int = -1, state: Any = None, num_top: int = 0) -> ScoreRow:
    ids = ids if isinstance(ids, np.ndarray) else np.array(ids, np.int32)
    return ScoreRow(previous_id, ids, np.zeros(3, np.float32) if state is None else state, num_top)


def test_rows_are_padded_and_shifted() -> None:
    feeds = score_feeds([row((2, 3, 4)), row((5,), previous_id=7, num_top=2)], max_chunk_tokens=4, **SIZES)
    assert feeds["target_ids"].tolist() == [[2, 3, 4], [5, 0, 0]]
    assert feeds["previous_ids"].tolist() == [[-1, 2, 3], [7, 5, 0]]
    assert feeds["lengths"].tolist() == [3, 1]
    assert feeds["state"].shape == (2, 3)
    assert feeds["num_top"].tolist() == [2]
    assert {name: array.dtype.name for name, array in feeds.items()} == {
        "previous_ids": "int32",
        "target_ids": "int32",
        "lengths": "int32",
        "state": "float32",
        "num_top": "int64",
    }


def test_each_row_gets_what_it_asked_for_whatever_its_neighbours_asked_for() -> None:
    outputs = {
        "log_probs": np.full((2, 2), -1, np.float32),
        "ranks": np.full((2, 2), 3, np.int32),
        "top_ids": np.ones((2, 2, 2), np.int32),
        "top_log_probs": np.ones((2, 2, 2), np.float32),
        "next_state": np.ones((2, 3), np.float32),
    }
    plain, asked = scored_rows([row((4,)), row(num_top=2)], outputs)
    assert (plain.ranks.tolist(), plain.top_ids.shape, plain.log_probs.shape) == ([0], (1, 0), (1,))
    assert (asked.ranks.tolist(), asked.top_ids.shape) == ([3, 3], (2, 2))
    assert asked.log_probs.base is None  # no view of the whole batch


WRONG_ROWS = {
    "none": ([], "rows must hold at least one row"),
    "no ids": ([row(()), row()], r"rows\[0\]\.ids must not be empty"),
    "dtype": ([row(), row(np.array([1, 2]))], r"rows\[1\]\.ids must be int32 of rank 1, not int64 of rank 1"),
    "rank": ([row(np.zeros((1, 1), np.int32))], r"rows\[0\]\.ids must be int32 of rank 1"),
    "id too high": ([row((8,))], r"rows\[0\]\.ids must lie in 0 to 7, but holds 8 to 8"),
    "start as a target": ([row((-1,))], r"rows\[0\]\.ids must lie in 0 to 7"),
    "previous too low": ([row(previous_id=-2)], r"rows\[0\]\.previous_id must lie in -1 to 7, but is -2"),
    "previous too high": ([row(previous_id=8)], r"rows\[0\]\.previous_id must lie in -1 to 7, but is 8"),
    "too long": ([row((2,) * 5)], r"rows\[0\]\.ids holds 5 ids, more than the 4 of max_chunk_tokens"),
    "state size": ([row(state=np.zeros(4, np.float32))], r"rows\[0\]\.state must have 3 entries, not 4"),
    "state dtype": ([row(state=np.zeros(3))], r"rows\[0\]\.state must be float32"),
    "state nan": ([row(state=np.full(3, np.nan, np.float32))], r"rows\[0\]\.state must be finite"),
    "num_top": ([row(num_top=9)], r"rows\[0\]\.num_top must lie in 0 to 8, but is 9"),
    "negative num_top": ([row(num_top=-1)], r"rows\[0\]\.num_top must lie in 0 to 8"),
}


@pytest.mark.parametrize(("rows", "reason"), WRONG_ROWS.values(), ids=WRONG_ROWS)
def test_wrong_rows_are_refused_by_name(rows: list[ScoreRow], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        score_feeds(rows, max_chunk_tokens=4, **SIZES)


STATE = np.zeros((2, 3), np.float32)
WRONG_STEPS = {
    "no rows": ({"previous_ids": np.zeros(0, np.int32)}, "previous_ids must not be empty"),
    "previous dtype": ({"previous_ids": np.zeros(2)}, "previous_ids must be int32 of rank 1, not float64 of rank 1"),
    "previous list": ({"previous_ids": [1, 2]}, "previous_ids must be int32 of rank 1, not list"),
    "previous range": ({"previous_ids": np.array([-2, 1], np.int32)}, "previous_ids must lie in -1 to 7"),
    "state rows": ({"state": np.zeros((1, 3), np.float32)}, r"state must have the shape \(2, 3\), not \(1, 3\)"),
    "state size": ({"state": np.zeros((2, 4), np.float32)}, r"state must have the shape \(2, 3\), not \(2, 4\)"),
    "state infinite": ({"state": np.full((2, 3), np.inf, np.float32)}, "state must be finite"),
    "uniform one": ({"uniforms": [0.0, 1.0]}, "uniforms must be at least 0 and below 1, but row 1 is not"),
    "uniform negative": ({"uniforms": [-0.1, 0.0]}, "uniforms must be at least 0 and below 1, but row 0 is not"),
    "uniforms missing": ({"uniforms": [0.1]}, "uniforms must have 2 entries, not 1"),
    "temperature": ({"temperatures": [1.0, -1.0]}, "temperatures must be at least 0, but row 1 is not"),
    "temperature nan": ({"temperatures": [np.nan, 1.0]}, "temperatures must be finite"),
    "top_k": ({"top_ks": np.array([0, -1], np.int32)}, "top_ks must be at least 0, but row 1 is not"),
    "top_k dtype": ({"top_ks": [0.0, 1.0]}, "top_ks must be int32 of rank 1"),
    "top_p zero": ({"top_ps": [1.0, 0.0]}, "top_ps must be above 0 and at most 1, but row 1 is not"),
    "top_p": ({"top_ps": [1.5, 1.0]}, "top_ps must be above 0 and at most 1, but row 0 is not"),
    "min_p": ({"min_ps": [0.0, 1.5]}, "min_ps must be 0 to 1, but row 1 is not"),
    "penalty": ({"repetition_penalties": [0.0, 1.0]}, "repetition_penalties must be above 0, but row 0 is not"),
    "banned none": ({"banned_ids": np.zeros((2, 0), np.int32)}, "banned_ids must not be empty"),
    "banned range": ({"banned_ids": np.array([[8], [1]], np.int32)}, "banned_ids must lie in -1 to 7"),
    "banned rows": ({"banned_ids": np.array([[1]], np.int32)}, "banned_ids must have 2 entries, not 1"),
    "banned twice": (
        {"banned_ids": np.array([[1, 2, 1], [1, -1, -1]], np.int32)},
        "banned_ids must not hold an id twi",
    ),
    "repeated twice": ({"repeated_ids": np.array([[1, -1], [3, 3]], np.int32)}, "repeated_ids must not hold an id twi"),
}


@pytest.mark.parametrize(("changes", "reason"), WRONG_STEPS.values(), ids=WRONG_STEPS)
def test_wrong_steps_are_refused_by_name(changes: dict[str, Any], reason: str) -> None:
    given = {
        name: np.array(value, np.float32) if isinstance(value, list) and name != "previous_ids" else value
        for name, value in changes.items()
    }
    batch = dataclasses.replace(step_batch([-1, 7], STATE), **given)
    with pytest.raises(ValueError, match=reason):
        check_step(batch, **SIZES)


def test_extremes_that_are_allowed_pass() -> None:
    batch = step_batch(
        [-1, 7],
        STATE,
        uniforms=[0.0, np.nextafter(np.float32(1), np.float32(0))],
        temperatures=[0.0, 1e-6],
        top_ks=100,
        min_ps=1.0,
        banned_ids=[list(range(8)), []],
        repeated_ids=[[], [0, 7]],
    )
    check_step(batch, **SIZES)
    assert list(batch.feeds()) == [field.name for field in dataclasses.fields(batch)]
