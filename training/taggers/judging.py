"""What the scores of entities are worth: found entities beside those of the tags."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqserve.rounding import SCORE_DECIMALS
from seqserve.tagger.document import document_of_tokens
from seqserve.tagger.manifest import ScorePoint
from seqserve.tagger.model import TaggerBundle
from seqserve.tagger.pipeline import TagOptions, results_of
from seqserve.tagger.tags import Span, spans_from_tags
from seqserve.training.reading.conll import Sentence

NUM_BINS = 15


@dataclass(frozen=True)
class Judged:
    """The N entities found in a file: scores (N,), whether each is right (N,) bool, labels; and the spans to find."""

    scores: NDArray[np.float64]
    is_right: NDArray[np.bool_]
    labels: Sequence[str]
    num_gold: int

    def f1(self) -> float:
        """Return span F1, a fraction; 0 where nothing is found or to be found."""
        total = len(self.scores) + self.num_gold
        return 2 * float(self.is_right.sum()) / total if total else 0.0

    def log_loss(self) -> float:
        """Return the mean log loss of the scores as probabilities of being right, in nats; 0 for no entity.

        Of n right entities each counts as right by (n + 1) / (n + 2), and of n wrong ones by 1 / (n + 2): a file
        without a mistake does not ask for scores of 1 (Platt 1999, "Probabilistic Outputs for Support Vector
        Machines", section 2.2).
        """
        smallest = 10.0**-SCORE_DECIMALS
        scores = np.clip(self.scores, smallest, 1 - smallest)
        num_right = int(self.is_right.sum())
        targets = np.where(self.is_right, (num_right + 1) / (num_right + 2), 1 / (len(scores) - num_right + 2))
        losses = -targets * np.log(scores) - (1 - targets) * np.log(1 - scores)
        return float(losses.mean()) if len(losses) else 0.0

    def expected_error(self, num_bins: int = NUM_BINS) -> float:
        """Return the expected calibration error over bins of equal width, a fraction; 0 for no entity."""
        bins = np.minimum((self.scores * num_bins).astype(np.int64), num_bins - 1)
        differences = np.bincount(bins, self.scores - self.is_right, minlength=num_bins)
        return float(np.abs(differences).sum()) / max(1, len(self.scores))

    def point(self, min_score: float) -> ScorePoint:
        """Return precision and recall of the entities with at least a score."""
        is_kept = self.scores >= min_score
        num_right, num_kept = int(self.is_right[is_kept].sum()), int(is_kept.sum())
        precision = num_right / num_kept if num_kept else 1.0
        return ScorePoint(min_score=min_score, precision=precision, recall=num_right / max(1, self.num_gold))


def judge(bundle: TaggerBundle, sentences: Sequence[Sentence], options: TagOptions | None = None) -> Judged:
    """Compare the entities that the bundle answers on given tokens with those of the tags."""
    longest = bundle.manifest.limits.max_sentence_tokens
    documents = [document_of_tokens(each.tokens, max_sentence_tokens=longest) for each in sentences]
    tagged = bundle.tag([row for document in documents for row in document.rows])
    results = results_of(documents, tagged, bundle, options or TagOptions())
    gold = [set(spans_from_tags(sentence.tags)) for sentence in sentences]
    found = [
        (entity.score, Span(entity.label, entity.token_start, entity.token_end) in spans, entity.label)
        for result, spans in zip(results, gold, strict=True)
        for entity in result.entities
    ]
    return Judged(
        np.array([score for score, _, _ in found], np.float64),
        np.array([is_right for _, is_right, _ in found], np.bool_),
        [label for _, _, label in found],
        sum(map(len, gold)),
    )
