"""The public class of counters."""

from collections.abc import Iterable

from seqserve.counter.answers import CountResult
from seqserve.counter.model import CounterBundle
from seqserve.counter.pipeline import read_text, result_of
from seqserve.model import Model
from seqserve.reading import placed
from seqserve.streaming import answer_texts


class Counter(Model[CounterBundle]):
    """A counter; its answers are those of /v1/count."""

    def count(self, texts: Iterable[str]) -> Iterable[CountResult]:
        """Count the words of each text."""
        bundle = self.bundle

        def answer(batch: list[str], start: int) -> list[CountResult]:
            rows = [read_text(text, bundle, place) for text, place in placed(batch, "texts", start=start)]
            return [result_of(count) for count in bundle.run(rows)]

        return answer_texts(texts, answer)
