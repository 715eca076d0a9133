"""Texts to other texts through an encoder-decoder's batcher."""

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seqserve.service.engine.cancellation import Cancellation, late
from seqserve.service.engine.models import TransducerModel
from seqserve.service.tasks.sequences import Timing
from seqserve.transducer.answers import TransduceResult
from seqserve.transducer.beam import Hypothesis, Search
from seqserve.transducer.model import STEPS_A_TOKEN, TransducerBundle, TransduceRow


def transduce_ids(
    model: TransducerModel, texts: Sequence[NDArray[np.int32]], search: Search, *, cancellation: Cancellation
) -> tuple[list[TransduceResult], Timing]:
    """Answer texts, each as its source ids, sharing runs with whoever else waits.

    The deadline is looked at between tokens. Raises OverloadedError, DeadlineExceededError and InternalError.
    """
    rows = [TransduceRow(ids, search, cancellation.deadline) for ids in texts]
    lengths = [expected_cost(len(ids), search) for ids in texts]
    with model.batcher.admitted(sum(lengths), cancellation.client):
        answer = model.batcher.submit(rows, lengths, cancellation=cancellation)
    if cancellation.is_over(time.monotonic()):  # what was found by then may have been cut off
        raise late()
    results = [result_of(model.bundle, found) for found in answer.results]
    return results, Timing(answer.queue_s, answer.compute_s)


def expected_cost(num_source_tokens: int, search: Search) -> int:
    """Return what a text is expected to cost, in tokens as TransducerBundle counts them; rows of like cost share a run.

    An answer has seldom more than twice the tokens of its text, and each hypothesis of the beam costs as much as one.
    """
    num_steps = num_source_tokens + min(search.max_tokens, 2 * num_source_tokens + 8)
    return max(1, search.beams * num_steps // STEPS_A_TOKEN)


def result_of(bundle: TransducerBundle, found: Hypothesis) -> TransduceResult:
    """Turn what the search found into an answer."""
    return TransduceResult(text=bundle.text_of(found.ids), log_prob=found.log_prob, finish_reason=found.finish_reason)
