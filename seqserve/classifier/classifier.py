"""The public class of classifiers: texts in, labels with their probabilities out."""

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from seqserve.classifier.answers import ClassifyResult
from seqserve.classifier.model import ClassifierBundle
from seqserve.classifier.pipeline import read_text, result_of
from seqserve.model import Model
from seqserve.reading import placed
from seqserve.streaming import answer_texts


class Classifier(Model[ClassifierBundle]):
    """A classifier, safe from many threads; it starts none. Its answers are those of /v1/classify.

    What is not acceptable raises InvalidRequestError, or TextTooLongError, which is one.
    """

    @property
    def labels(self) -> list[str]:
        """What texts can be, in the order of the answers' `scores`."""
        return list(self.manifest.architecture.labels)

    @overload
    def classify(self, texts: Sequence[str]) -> list[ClassifyResult]: ...  # type: ignore[overload-overlap]

    @overload
    def classify(self, texts: Iterable[str]) -> Iterator[ClassifyResult]: ...

    def classify(self, texts: Iterable[str]) -> Iterable[ClassifyResult]:
        """Return what each text is: a list for a list, else an iterator that reads a little ahead."""
        bundle = self.bundle

        def answer(batch: list[str], start: int) -> list[ClassifyResult]:
            rows = [read_text(text, bundle, place) for text, place in placed(batch, "texts", start=start)]
            return [result_of(probs, bundle.labels) for probs in bundle.classify(rows)]

        return self._streamed(answer_texts(texts, answer))
