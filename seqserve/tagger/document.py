"""A text as a tagger reads it: tokens, sentences, the rows that its graph gets, and the way back."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from seqserve.tagger.model import TaggedSentence
from seqserve.tagger.tags import OUTSIDE, Span, continues, spans_from_tags, split_tag
from seqserve.text.forms import reading, reads_as_written
from seqserve.text.sentences import whole_sentences, windows
from seqserve.text.tokenization import Token, tokenize

Range = tuple[int, int]
_Answer = tuple[list[int], TaggedSentence]
"""Tokens of a document, in order, and the answer for them."""


@dataclass(frozen=True, slots=True)
class Document:
    """A text with its tokens and its sentences, which are half-open token ranges that cover all tokens in order.

    rows: the forms that the model reads, a list for each row. places: the tokens of each row, where some token is not
    read or some sentence is longer than a row; None: row i holds every token of sentence i.
    """

    text: str
    tokens: list[Token]
    sentences: list[Range]
    rows: list[list[str]]
    places: list[list[int]] | None = None

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.tokens)

    def sentences_of(self, tagged: Sequence[TaggedSentence], tags: Sequence[str]) -> Sequence[TaggedSentence]:
        """Return the answer for every token of each sentence, from the answers for the rows.

        `tags`: in the order of the last axis of tag_probs. A token that was not read is O, or inside the span around
        it. Where two rows share tokens, the first answers up to the middle of them, or up to the nearest place where
        neither has a span.
        """
        if self.places is None:
            return tagged
        rows = iter(zip(self.places, tagged, strict=True))
        row = next(rows, None)
        answers = []
        for sentence in self.sentences:
            found = []
            while row is not None and row[0][0] < sentence[1]:
                found.append(row)
                row = next(rows, None)
            answers.append(_on_every_token(_joined(found, len(tags)), sentence, tags))
        return answers


def document_of_text(text: str, *, max_sentence_tokens: int, limit: int | None = None) -> Document:
    """Tokenise and split a text; with a limit, no more than limit + 1 tokens are looked for."""
    tokens = tokenize(text, limit=limit)
    forms, kept = [token.text for token in tokens], None
    if not reads_as_written(text):
        forms, kept = reading(forms)
    shown = tokens if kept is None else [tokens[place] for place in kept]
    return _document(text, tokens, (forms, kept), whole_sentences(text, shown), max_sentence_tokens)


def document_of_tokens(words: Sequence[str], *, max_sentence_tokens: int) -> Document:
    """Take given tokens as one sentence of a text that joins them with single spaces; one too long is split."""
    tokens: list[Token] = []
    start = 0
    for word in words:
        tokens.append(Token(word, start, start + len(word)))
        start += len(word) + 1
    text = " ".join(words)
    forms, kept = reading(words)
    sentences = [(0, len(forms))] if forms else []
    if len(forms) > max_sentence_tokens:
        sentences = whole_sentences(text, tokens if kept is None else [tokens[place] for place in kept])
    return _document(text, tokens, (forms, kept), sentences, max_sentence_tokens)


def _document(
    text: str, tokens: list[Token], read: tuple[list[str], list[int] | None], sentences: list[Range], longest: int
) -> Document:
    """Return a document; `read`: forms and the places of their tokens; `sentences`: ranges of forms."""
    forms, kept = read
    if kept is None and all(end - start <= longest for start, end in sentences):
        return Document(text, tokens, sentences, [forms[start:end] for start, end in sentences])
    if kept is None:
        kept = list(range(len(tokens)))
    ranges = windows([tokens[place] for place in kept], sentences, longest)
    # A token that is not read belongs to the sentence before it.
    begins = [0, *(kept[start] for start, _ in sentences[1:])] if tokens else []
    return Document(
        text,
        tokens,
        list(pairwise([*begins, len(tokens)])),
        [forms[start:end] for start, end in ranges],
        [kept[start:end] for start, end in ranges],
    )


def _joined(rows: Sequence[_Answer], num_tags: int) -> _Answer:
    """Return rows as one; the last tokens of a row may be the first of the next."""
    if len(rows) == 1:
        return rows[0]
    begins, ends = [0] * len(rows), [len(places) for places, _ in rows]
    for number, ((first, before), (second, after)) in enumerate(pairwise(rows)):
        begin = bisect_left(first, second[0])
        ends[number] = _border(before.tags, after.tags, begin)
        begins[number + 1] = ends[number] - begin
    parts = [(*row, slice(begin, end)) for row, begin, end in zip(rows, begins, ends, strict=True)]
    nothing = np.zeros((0, num_tags), np.float32), np.zeros(0, np.float32)
    return [place for places, _, part in parts for place in places[part]], TaggedSentence(
        tuple(tag for _, tagged, part in parts for tag in tagged.tags[part]),
        np.concatenate([nothing[0], *(tagged.tag_probs[part] for _, tagged, part in parts)]),
        np.concatenate([nothing[1], *(tagged.span_probs[part] for _, tagged, part in parts)]),
    )


def _border(before: Sequence[str], after: Sequence[str], begin: int) -> int:
    """Return up to where the first of two rows answers; from its token `begin` on, its tokens are also the second's.

    It is the middle of these tokens, or the nearest place that is within no span of either row.
    """
    shared = len(before) - begin
    middle = begin + shared // 2
    spans = [*spans_from_tags(before), *(_moved(span, begin) for span in spans_from_tags(after))]
    near = sorted(range(begin, len(before) + 1), key=lambda border: abs(border - middle))
    return next((border for border in near if not any(span.start < border < span.end for span in spans)), middle)


def _moved(span: Span, by: int) -> Span:
    return Span(span.label, span.start + by, span.end + by)


def _on_every_token(found: _Answer, sentence: Range, tags: Sequence[str]) -> TaggedSentence:
    start, end = sentence
    places, tagged = found
    if len(places) == end - start:
        return tagged
    number_of = {place: number for number, place in enumerate(places)}
    tag_probs = np.zeros((end - start, len(tags)), np.float32)
    span_probs = np.zeros(end - start, np.float32)
    spread: list[str] = []
    following = 0  # the first token that was read and stands at `place` or later
    for place in range(start, end):
        number = number_of.get(place)
        if number is None:
            before = spread[-1] if spread else OUTSIDE
            after = tagged.tags[following] if following < len(places) else OUTSIDE
            spread.append(f"I-{split_tag(after)[1]}" if continues(before, after) else OUTSIDE)
            tag_probs[place - start, tags.index(spread[-1])] = 1
        else:
            spread.append(tagged.tags[number])
            tag_probs[place - start] = tagged.tag_probs[number]
            span_probs[place - start] = tagged.span_probs[number]
            following = number + 1
    return TaggedSentence(tuple(spread), tag_probs, span_probs)
