"""The public class of encoder-decoders: texts in, other texts out."""

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from seqserve.model import Model
from seqserve.reading import converted, placed
from seqserve.streaming import answer_texts
from seqserve.transducer.answers import TransduceResult
from seqserve.transducer.beam import Search
from seqserve.transducer.model import TransducerBundle, TransduceRow
from seqserve.transducer.pipeline import DEFAULT_TOKENS, Beams, MaxTokens, read_text, result_of


class Transducer(Model[TransducerBundle]):
    """An encoder-decoder, such as a translator, safe from many threads; it starts none.

    Its answers are those of /v1/transduce. What is not acceptable raises InvalidRequestError, or TextTooLongError,
    which is one.
    """

    @overload
    def transduce(  # type: ignore[overload-overlap]  # a list is no iterator
        self, texts: Sequence[str], *, beams: int = 1, max_tokens: int = DEFAULT_TOKENS
    ) -> list[TransduceResult]: ...

    @overload
    def transduce(
        self, texts: Iterable[str], *, beams: int = 1, max_tokens: int = DEFAULT_TOKENS
    ) -> Iterator[TransduceResult]: ...

    def transduce(
        self, texts: Iterable[str], *, beams: int = 1, max_tokens: int = DEFAULT_TOKENS
    ) -> Iterable[TransduceResult]:
        """Return another text for each text: a list for a list, else an iterator that reads a little ahead.

        beams: width of the beam search, 1 is greedy. max_tokens: of an answer, its end counted.
        """
        bundle = self.bundle
        search = Search(converted(beams, Beams, "beams"), converted(max_tokens, MaxTokens, "max_tokens"))

        def answer(batch: list[str], start: int) -> list[TransduceResult]:
            rows = [read_text(text, bundle, place) for text, place in placed(batch, "texts", start=start)]
            return [result_of(bundle, found) for found in bundle.transduce([TransduceRow(ids, search) for ids in rows])]

        return self._streamed(answer_texts(texts, answer))
