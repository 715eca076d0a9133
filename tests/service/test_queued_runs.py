"""Rows to score, through the queue of a language model."""

import time

import numpy as np
import pytest

from seqserve.language.scoring import Sequences, score_sequences
from seqserve.service.engine.cancellation import Cancellation
from seqserve.service.errors import DeadlineExceededError
from seqserve.service.routes.work import QueuedRuns
from tests.service.toys import open_toy

CONTEXT, TEXT = np.array([2, 3, 4, 2], np.int32), np.array([5, 1, 2, 3, 0], np.int32)
SEQUENCES = Sequences([TEXT, TEXT[:1], TEXT[1:]], [CONTEXT, CONTEXT[:0]], [0, 1, 0])


def test_scores_are_those_of_the_bundle_itself() -> None:
    model = open_toy(max_chunk_tokens=2)
    run = QueuedRuns(model, Cancellation(time.monotonic() + 60))
    for own, queued in zip(
        score_sequences(model.bundle.run_rows, SEQUENCES, model.manifest, num_top=2),
        score_sequences(run, SEQUENCES, model.manifest, num_top=2),
        strict=True,
    ):
        assert own.log_probs.tobytes() == queued.log_probs.tobytes()
        assert own.top_ids.tolist() == queued.top_ids.tolist()
    assert run.compute_s > 0


def test_a_deadline_that_passed_ends_the_work_between_chunks() -> None:
    model = open_toy(max_chunk_tokens=1)
    run = QueuedRuns(model, Cancellation(time.monotonic() + 0.01))
    long = Sequences([np.full(5_000, 3, np.int32)], [CONTEXT[:0]], [0])
    with pytest.raises(DeadlineExceededError):
        score_sequences(run, long, model.manifest)
    assert model.bundle.num_runs < 5_000  # type: ignore[attr-defined]
    assert model.batcher.pending_tokens == 0
