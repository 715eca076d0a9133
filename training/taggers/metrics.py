"""Span precision, recall and F1, equal to those of CoNLL's conlleval script."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seqserve.tagger.tags import Span, spans_from_tags


@dataclass(frozen=True, slots=True)
class Counts:
    """Spans in the gold tags, spans found, and spans found with the right label, start and end."""

    num_gold: int = 0
    num_found: int = 0
    num_correct: int = 0

    @property
    def precision(self) -> float:
        """Fraction in 0..1; 0 when nothing was found, as in conlleval."""
        return self.num_correct / self.num_found if self.num_found else 0.0

    @property
    def recall(self) -> float:
        """Fraction in 0..1; 0 when there was nothing to find, as in conlleval."""
        return self.num_correct / self.num_gold if self.num_gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, fraction in 0..1."""
        total = self.num_gold + self.num_found
        return 2 * self.num_correct / total if total else 0.0


@dataclass(frozen=True, slots=True)
class SpanScores:
    """Counts over all spans and by label; all rates are fractions in 0..1.

    num_tokens and num_correct_tokens are None where only spans were given.
    """

    overall: Counts
    labels: Mapping[str, Counts]
    num_tokens: int | None = None
    num_correct_tokens: int | None = None

    @property
    def precision(self) -> float:
        return self.overall.precision

    @property
    def recall(self) -> float:
        return self.overall.recall

    @property
    def f1(self) -> float:
        return self.overall.f1

    @property
    def accuracy(self) -> float | None:
        """Fraction of tokens whose tag (prefix and label) is right."""
        if self.num_tokens is None or self.num_correct_tokens is None:
            return None
        return self.num_correct_tokens / self.num_tokens if self.num_tokens else 0.0


def score_spans(gold: Iterable[Sequence[Span]], predicted: Iterable[Sequence[Span]]) -> SpanScores:
    """Return scores of predicted against gold spans, sentence by sentence; a span is right when all of it is.

    Raises ValueError when the two have different numbers of sentences.
    """
    num_gold: Counter[str] = Counter()
    num_found: Counter[str] = Counter()
    num_correct: Counter[str] = Counter()
    for gold_spans, found_spans in zip(gold, predicted, strict=True):
        num_gold.update(span.label for span in gold_spans)
        num_found.update(span.label for span in found_spans)
        num_correct.update(label for label, _, _ in set(gold_spans) & set(found_spans))
    names = sorted({*num_gold, *num_found})
    labels = {name: Counts(num_gold[name], num_found[name], num_correct[name]) for name in names}
    return SpanScores(Counts(num_gold.total(), num_found.total(), num_correct.total()), labels)


def score_tags(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> SpanScores:
    """Return scores of predicted against gold tags, malformed sequences read as conlleval reads them.

    Both should be in one scheme: a token counts as right (accuracy) only when its tag is the same string.
    Raises ValueError when sentences or their tags differ in number.
    """
    spans = score_spans([spans_from_tags(tags) for tags in gold], [spans_from_tags(tags) for tags in predicted])
    num_correct_tokens = sum(
        truth == guess
        for gold_tags, found_tags in zip(gold, predicted, strict=True)
        for truth, guess in zip(gold_tags, found_tags, strict=True)
    )
    return SpanScores(spans.overall, spans.labels, sum(map(len, gold)), num_correct_tokens)


def report(scores: SpanScores) -> str:
    """Return the table that conlleval prints, in percent; without tokens and accuracy where they are not known."""
    overall = scores.overall
    tokens = "" if scores.num_tokens is None else f"{scores.num_tokens} tokens with "
    accuracy = "" if scores.accuracy is None else f"accuracy: {100 * scores.accuracy:6.2f}%; "
    lines = [
        f"processed {tokens}{overall.num_gold} phrases; found: {overall.num_found} phrases; "
        f"correct: {overall.num_correct}.",
        f"{accuracy}{_rates(overall)}",
    ]
    lines += [f"{label:>17}: {_rates(counts)}  {counts.num_found}" for label, counts in scores.labels.items()]
    return "\n".join(lines) + "\n"


def _rates(counts: Counts) -> str:
    return (
        f"precision: {100 * counts.precision:6.2f}%; recall: {100 * counts.recall:6.2f}%; FB1: {100 * counts.f1:6.2f}"
    )
