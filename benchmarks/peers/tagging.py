"""What every peer does with a text: tokenise, look up, run the same graph on a batch, decode; the same entities out.

Needs `bundle` alone: msgspec, numpy and onnxruntime, numpy before 2 included.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from seqserve.loading import load_bundle
from seqserve.tagger.model import TaggerBundle
from seqserve.tagger.tags import Span
from seqserve.text.sentences import split_sentences
from seqserve.text.tokenization import Token, tokenize

Entities = list[dict[str, Any]]
Spans = list[tuple[Span, float | None]]
"""Of one sentence, each with its posterior probability, None where it is not known."""

_DECIMALS = 6


class Tagging:
    """Finds the entities of several texts at once; `spans_of` gets all their sentences, not batched yet."""

    def __init__(self, spans_of: Callable[[Sequence[Sequence[str]]], Sequence[Spans]], max_sentence_tokens: int):
        self._spans_of = spans_of
        self._max_sentence_tokens = max_sentence_tokens

    def entities(self, texts: Sequence[str]) -> list[Entities]:
        """For each text its entities: text, label, start, end (code points), token_start, token_end, score if known."""
        tokens = [tokenize(text) for text in texts]
        sentences = [
            split_sentences(text, each, max_tokens=self._max_sentence_tokens)
            for text, each in zip(texts, tokens, strict=True)
        ]
        rows = [
            [token.text for token in each[start:end]]
            for each, ranges in zip(tokens, sentences, strict=True)
            for start, end in ranges
        ]
        found = iter(self._spans_of(rows) if rows else [])
        return [
            [_entity(text, each, (offset, span), score) for offset, _ in ranges for span, score in next(found)]
            for text, each, ranges in zip(texts, tokens, sentences, strict=True)
        ]


def tagging_of(folder: str | Path) -> Tagging:
    """A bundle's tagging: one thread, batches of at most 16 rows of like length; raises BundleError."""
    bundle = load_bundle(folder, TaggerBundle)

    def spans_of(rows: Sequence[Sequence[str]]) -> list[Spans]:
        return [list(sentence.entities()) for sentence in bundle.tag(rows)]

    return Tagging(spans_of, bundle.manifest.limits.max_sentence_tokens)


def _entity(text: str, tokens: Sequence[Token], place: tuple[int, Span], score: float | None) -> dict[str, Any]:
    offset, span = place
    first, last = offset + span.start, offset + span.end
    start, end = tokens[first].start, tokens[last - 1].end
    entity = {"text": text[start:end], "label": span.label, "start": start, "end": end}
    entity |= {"token_start": first, "token_end": last}
    return entity if score is None else {**entity, "score": round(score, _DECIMALS)}
