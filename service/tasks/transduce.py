"""Texts to other texts through an encoder-decoder's batcher."""

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bundle.beam import Hypothesis, Search
from bundle.transducer import TransducerBundle, TransduceRow
from service.engine.models import TransducerModel
from service.engine.patience import Patience, late
from service.schemas.transduce import TransduceResult
from service.tasks.sequences import Timing


def transduce_ids(
    model: TransducerModel, texts: Sequence[NDArray[np.int32]], search: Search, *, patience: Patience
) -> tuple[list[TransduceResult], Timing]:
    """Answer texts, each as its source ids, sharing runs with whoever else waits.

    The deadline is looked at between tokens. Raises OverloadedError, DeadlineExceededError and InternalError.
    """
    rows = [TransduceRow(ids, search, patience.deadline) for ids in texts]
    # A beam costs what as many texts cost, and rows of like cost share a run.
    lengths = [len(ids) * search.beams for ids in texts]
    with model.batcher.admitted(sum(lengths)):
        answer = model.batcher.submit(rows, lengths, patience=patience)
    if patience.is_over(time.monotonic()):  # what was found by then may have been cut off
        raise late()
    results = [result_of(model.bundle, found) for found in answer.results]
    return results, Timing(answer.queue_s, answer.compute_s)


def result_of(bundle: TransducerBundle, found: Hypothesis) -> TransduceResult:
    """Turn what the search found into an answer."""
    return TransduceResult(text=bundle.text_of(found.ids), log_prob=found.log_prob, finish_reason=found.finish_reason)
