"""Sums over tokens, and rows that share runs."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.language.model import ScoredRow, ScoreRow
from seqserve.language.scoring import Sums, run_in_batches, sums_of
from seqserve.vocabulary.tokens import UNKNOWN_ID
from tests.toy_language_model import ToyLanguageModel


def test_rows_with_and_without_alternatives_share_no_run() -> None:
    toy = ToyLanguageModel()
    asked: list[int] = []

    def run(rows: Sequence[ScoreRow]) -> list[ScoredRow]:
        asked.append(len({bool(row.num_top) for row in rows}))
        return toy.run_score(rows)

    rows = [ScoreRow(-1, np.array([number + 1], np.int32), toy.zero_state(), number % 3) for number in range(6)]
    mixed = run_in_batches(run, rows)
    assert asked == [1, 1]
    for row, result in zip(rows, mixed, strict=True):
        (alone,) = toy.run_score([row])
        assert result.log_probs.tobytes() == alone.log_probs.tobytes()
        assert result.top_ids.tolist() == alone.top_ids.tolist()


def test_a_perplexity_that_overflows_is_none() -> None:
    assert Sums(-1e4, 1, -1e4, 0).perplexity is None
    assert Sums(-1e4, 1, -1e4, 0).perplexity_known is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-500, 0)), max_size=40), st.integers(0, 40))
def test_sums_of_parts_are_the_sums_of_the_whole(tokens: list[tuple[int, int]], cut: int) -> None:
    ids = np.array([token for token, _ in tokens], np.int32)
    log_probs = np.array([value / 10 for _, value in tokens], np.float32)
    whole = sums_of(ids, log_probs)
    parts = sums_of(ids[:cut], log_probs[:cut]) + sums_of(ids[cut:], log_probs[cut:])
    assert parts.log_prob == pytest.approx(whole.log_prob)
    assert parts.log_prob_known == pytest.approx(whole.log_prob_known)
    assert (parts.num_tokens, parts.num_unknown) == (whole.num_tokens, whole.num_unknown)
    assert whole.num_unknown == int((ids == UNKNOWN_ID).sum())


def test_sums_are_taken_in_float64() -> None:
    log_probs = np.full(2**20, -0.1, np.float32)
    exact = 2**20 * float(np.float32(-0.1))
    assert sums_of(np.full(2**20, 5, np.int32), log_probs).log_prob == pytest.approx(exact, rel=1e-14)
