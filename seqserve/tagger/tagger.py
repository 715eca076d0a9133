"""The public class of taggers: texts in, entities out."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypedDict, Unpack, overload

from seqserve.model import Model
from seqserve.reading import Limits, checked_text, converted, placed
from seqserve.streaming import answer_texts
from seqserve.tagger.answers import TagResult
from seqserve.tagger.decoding import BEST_PATH, Decode
from seqserve.tagger.document import Document
from seqserve.tagger.model import TaggerBundle
from seqserve.tagger.pipeline import (
    Include,
    Labels,
    MinScore,
    TagOptions,
    check_tokens,
    make_options,
    read_text,
    read_tokens,
    results_of,
)

Parts = Iterable[Literal["tokens", "tag_probs"]]


class TagKeywords(TypedDict, total=False):
    """The options of `Tagger.tag` and `Tagger.tag_tokens`."""

    labels: Iterable[str] | None
    min_score: float
    include: Parts
    decode: Decode


class Tagger(Model[TaggerBundle]):
    """A tagger, safe from many threads; it starts none. Its answers are those of /v1/tag.

    What is not acceptable raises InvalidRequestError.
    """

    @property
    def labels(self) -> list[str]:
        """The labels of its entities, such as "PER"."""
        return list(self.manifest.architecture.labels)

    @overload
    def tag(  # type: ignore[overload-overlap]  # a list is no iterator
        self, texts: Sequence[str], **options: Unpack[TagKeywords]
    ) -> list[TagResult]: ...

    @overload
    def tag(self, texts: Iterable[str], **options: Unpack[TagKeywords]) -> Iterator[TagResult]: ...

    def tag(
        self,
        texts: Iterable[str],
        *,
        labels: Iterable[str] | None = None,
        min_score: float = 0.0,
        include: Parts = (),
        decode: Decode = BEST_PATH,
    ) -> Iterable[TagResult]:
        """Return the entities of each text: a list for a list, else an iterator that reads a little ahead.

        labels, min_score: keep only entities of these labels, and with at least this score. include "tokens": with
        every token; "tag_probs": with the distribution over tags. decode "expected_f1": every span whose own posterior
        is high enough, in place of those of the best path. Offsets count code points.
        """
        bundle, options = self.bundle, self._options(labels, min_score, include, decode)

        def answer(batch: list[str], start: int) -> list[TagResult]:
            texts = placed(batch, "texts", start=start)
            return _tag([read_text(text, bundle, Limits(), place) for text, place in texts], bundle, options)

        return self._streamed(answer_texts(texts, answer))

    @overload
    def tag_tokens(  # type: ignore[overload-overlap]
        self, texts: Sequence[Sequence[str]], **options: Unpack[TagKeywords]
    ) -> list[TagResult]: ...

    @overload
    def tag_tokens(self, texts: Iterable[Sequence[str]], **options: Unpack[TagKeywords]) -> Iterator[TagResult]: ...

    def tag_tokens(
        self,
        texts: Iterable[Sequence[str]],
        *,
        labels: Iterable[str] | None = None,
        min_score: float = 0.0,
        include: Parts = (),
        decode: Decode = BEST_PATH,
    ) -> Iterable[TagResult]:
        """Answer as `tag` does, for texts that are tokens already; offsets are those of tokens joined with spaces."""
        bundle, options = self.bundle, self._options(labels, min_score, include, decode)

        def answer(batch: list[list[str]], start: int) -> list[TagResult]:
            texts = placed(batch, "texts", start=start)
            return _tag([read_tokens(text, bundle, Limits(), place) for text, place in texts], bundle, options)

        return self._streamed(answer_texts(texts, answer, check=_checked_tokens))

    def _options(self, labels: Iterable[str] | None, min_score: float, include: Parts, decode: Decode) -> TagOptions:
        return make_options(
            self.bundle,
            labels=converted(labels, Labels, "labels"),
            min_score=converted(min_score, MinScore, "min_score"),
            include=converted(include, Include, "include"),
            decode=converted(decode, Decode, "decode"),
        )


def _tag(documents: Sequence[Document], bundle: TaggerBundle, options: TagOptions) -> list[TagResult]:
    tagged = bundle.tag([row for document in documents for row in document.rows])
    return results_of(documents, tagged, bundle, options)


def _checked_tokens(words: object, *place: str | int) -> list[str]:
    tokens: list[str] = converted(words, list[str], *place)
    check_tokens([(tokens, place)])
    return [checked_text(token, *place, number) for number, token in enumerate(tokens)]
