"""Sentences of a file as a served tagger reads them: its tokens, its forms, the spans carried over."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from seqserve.tagger.tags import Span, spans_from_tags, tags_from_spans
from seqserve.text.forms import reading
from seqserve.text.tokenization import Token, tokenize
from seqserve.training.reading.conll import Sentence


def on_served_tokens(sentence: Sentence) -> Sentence:
    """Return the sentence as the service tokenises and reads its tokens joined by spaces; its tags are in BIO."""
    if sentence.is_served:
        return on_own_tokens(sentence)
    text = " ".join(sentence.tokens)
    ends, end = [], -1
    for token in sentence.tokens:
        end += 1 + len(token)
        ends.append(end)
    tokens = tokenize(text)
    spans = []
    for label, first, last in spans_from_tags(sentence.tags):
        start = ends[first] - len(sentence.tokens[first])
        spans.append(Span(label, *tokens_within(tokens, start, ends[last - 1])))
    return _as_read([token.text for token in tokens], spans)


def on_own_tokens(sentence: Sentence) -> Sentence:
    """Return the sentence with its own tokens as the model reads them; its tags are in BIO."""
    return _as_read(sentence.tokens, spans_from_tags(sentence.tags))


def tokens_within(tokens: Sequence[Token], start: int, end: int) -> tuple[int, int]:
    """Return the half-open range of the tokens that text[start:end] touches."""
    return bisect_right(tokens, start, key=lambda token: token.end), bisect_left(tokens, end, key=lambda t: t.start)


def _as_read(tokens: Sequence[str], spans: Sequence[Span]) -> Sentence:
    forms, kept = reading(tokens)
    if kept is not None:
        spans = [Span(label, bisect_left(kept, start), bisect_left(kept, end)) for label, start, end in spans]
    spans = [span for span in spans if span.start < span.end]
    return Sentence(tuple(forms), tuple(tags_from_spans(spans, len(forms), "BIO")))
