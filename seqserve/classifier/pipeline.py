"""Texts to labels with their probabilities."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seqserve.classifier.answers import ClassifyResult
from seqserve.classifier.model import ClassifierBundle
from seqserve.reading import Place, check_row
from seqserve.rounding import rounded_all


def read_text(text: str, bundle: ClassifierBundle, place: Place) -> list[str]:
    """Return the tokens of the text at a place of a call; raises InvalidRequestError and TextTooLongError."""
    tokens = bundle.tokenize(text)
    check_row(len(tokens), bundle.manifest.limits.max_tokens, *place)
    return tokens


def result_of(probs: NDArray[np.float32], labels: Sequence[str]) -> ClassifyResult:
    """Turn P(label | text), (K,), into an answer; of equally likely labels the first is chosen."""
    best = int(probs.argmax())
    scores = dict(zip(labels, rounded_all(probs), strict=True))
    return ClassifyResult(label=labels[best], score=scores[labels[best]], scores=scores)
