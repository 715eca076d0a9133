"""Texts to labels with their probabilities."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seqserve.classifier.answers import ClassifyResult
from seqserve.rounding import rounded_all
from seqserve.service.engine.cancellation import Cancellation
from seqserve.service.engine.models import ClassifierModel
from seqserve.service.tasks.sequences import Timing


def classify_tokens(
    model: ClassifierModel, texts: Sequence[Sequence[str]], *, cancellation: Cancellation
) -> tuple[list[ClassifyResult], Timing]:
    """Classify the tokens of texts through the model's batcher.

    Raises OverloadedError, DeadlineExceededError and InternalError.
    """
    lengths = [len(tokens) for tokens in texts]
    with model.batcher.admitted(sum(lengths), cancellation.client):
        answer = model.batcher.submit(texts, lengths, cancellation=cancellation)
    labels = model.bundle.labels
    return [result_of(probs, labels) for probs in answer.results], Timing(answer.queue_s, answer.compute_s)


def result_of(probs: NDArray[np.float32], labels: Sequence[str]) -> ClassifyResult:
    """Turn P(label | text), (K,), into an answer; of equally likely labels the first is chosen."""
    best = int(probs.argmax())
    scores = dict(zip(labels, rounded_all(probs), strict=True))
    return ClassifyResult(label=labels[best], score=scores[labels[best]], scores=scores)
