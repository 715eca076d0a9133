"""Texts with spans of characters, as sentences of the tokens that the service finds, with tags."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from seqserve.tagger.document import document_of_text
from seqserve.tagger.tags import Span, tags_from_spans
from seqserve.training.reading.conll import Sentence
from seqserve.training.reading.lines import TextError, composed
from seqserve.training.reading.served_tokens import tokens_within

Unaligned = Literal["widen", "drop", "refuse"]
"""What happens to a span that begins or ends inside a token."""

_SHOWN = 10
_MAX_SENTENCE_TOKENS = sys.maxsize  # the service cuts long sentences, training does not


class CharacterSpan(NamedTuple):
    """A labelled, half-open range of code points.

    text: what the file says stands there, if it does; place: file and line, if they are not those of its text.
    """

    start: int
    end: int
    label: str
    text: str | None = None
    place: str | None = None


@dataclass(frozen=True)
class AnnotatedText:
    """A text and its spans; place: file and line, for messages; has_spans: whether the file says what its spans are."""

    text: str
    spans: tuple[CharacterSpan, ...]
    place: str
    has_spans: bool = True


@dataclass(frozen=True)
class Misfit:
    """A span that no row of tags can hold as it is.

    text: its characters; tokens: those of the tokens that it touches; reason: why, as of "a span with …"; is_kept:
    with the tokens that it touches.
    """

    place: str
    label: str
    text: str
    tokens: str
    reason: str
    is_kept: bool = False

    def __str__(self) -> str:
        inside = f" in {self.tokens!r}" if self.tokens not in ("", self.text) else ""
        return f"{self.place}: {self.label} {self.text!r}{inside}"


INSIDE_A_TOKEN = "with an edge inside a token"
OVERLAPS = "overlapping a longer one"
WITHOUT_TOKENS = "without a token"


def align(annotated: AnnotatedText, unaligned: Unaligned) -> tuple[list[Sentence], list[Misfit]]:
    """Return the sentences of a text with BIO tags, and the spans that did not fit.

    White space at the ends of a span is no part of it. Of overlapping spans the longest is kept. Where a span holds
    the end of a sentence, the sentence goes on. Tokens are in NFC. Raises TextError, naming the place, for a span
    outside the text or whose text is another; with "refuse", also for one that does not fit.
    """
    spans = _in_code_points(annotated)
    text = annotated.text
    document = document_of_text(text, max_sentence_tokens=_MAX_SENTENCE_TOKENS)
    tokens = document.tokens
    misfits: list[Misfit] = []
    found: list[tuple[Span, CharacterSpan]] = []

    def misfit(span: CharacterSpan, first: int, last: int, reason: str) -> None:
        touched = text[tokens[first].start : tokens[last - 1].end] if first < last else ""
        is_kept = reason == INSIDE_A_TOKEN and unaligned == "widen"
        place = span.place or annotated.place
        misfits.append(Misfit(place, span.label, text[span.start : span.end], touched, reason, is_kept))

    for span in {span[:3]: span for span in spans}.values():
        first, last = tokens_within(tokens, span.start, span.end)
        if first >= last:
            misfit(span, first, last, WITHOUT_TOKENS)
            continue
        if tokens[first].start < span.start or tokens[last - 1].end > span.end:
            misfit(span, first, last, INSIDE_A_TOKEN)
            if unaligned == "drop":
                continue
        found.append((Span(span.label, first, last), span))
    kept: list[Span] = []
    taken = bytearray(len(tokens))
    for placed, span in sorted(found, key=lambda each: (each[0].start - each[0].end, each[0].start)):
        if any(taken[placed.start : placed.end]):
            misfit(span, placed.start, placed.end, OVERLAPS)
            continue
        taken[placed.start : placed.end] = b"\1" * (placed.end - placed.start)
        kept.append(placed)
    if misfits and unaligned == "refuse":
        one = misfits[0]
        raise TextError(f"{one}: a span {one.reason}")
    tags = tags_from_spans(kept, len(tokens), "BIO")
    return [
        Sentence(tuple(composed(token.text) for token in tokens[start:end]), tuple(tags[start:end]), is_served=True)
        for start, end in _joined(document.sentences, kept)
    ], misfits


def _joined(sentences: Iterable[tuple[int, int]], spans: Iterable[Span]) -> list[tuple[int, int]]:
    """Return the ranges of tokens, those joined that a span goes across."""
    inner = {place for span in spans for place in range(span.start + 1, span.end)}
    joined: list[tuple[int, int]] = []
    for start, end in sentences:
        joined.append((joined.pop()[0], end) if start in inner else (start, end))
    return joined


def _in_code_points(annotated: AnnotatedText) -> Sequence[CharacterSpan]:
    """Return the spans in code points, whether they count these or, as JavaScript does, the units of UTF-16."""
    spans = annotated.spans
    wrong = _first_wrong(annotated.text, spans)
    if wrong is None:
        return spans
    units = [0]
    for character in annotated.text:
        units.append(units[-1] + (2 if character > "\uffff" else 1))
    place_of = {unit: place for place, unit in enumerate(units)}
    counted = [
        span._replace(start=place_of.get(span.start, -1), end=place_of.get(span.end, len(units))) for span in spans
    ]
    if units[-1] > len(annotated.text) and _first_wrong(annotated.text, counted) is None:
        return counted
    size = len(annotated.text)
    place = wrong.place or annotated.place
    if not 0 <= wrong.start <= wrong.end <= size:
        raise TextError(
            f"{place}: the span {wrong.start} to {wrong.end} ({wrong.label}) is not within the {size} "
            "characters of the text"
        )
    raise TextError(
        f"{place}: characters {wrong.start} to {wrong.end} are "
        f"{annotated.text[wrong.start : wrong.end]!r}, not {wrong.text!r} ({wrong.label})"
    )


def _first_wrong(text: str, spans: Iterable[CharacterSpan]) -> CharacterSpan | None:
    for span in spans:
        if not 0 <= span.start <= span.end <= len(text):
            return span
        if span.text is not None and _plain(span.text) != _plain(text[span.start : span.end]):
            return span
    return None


def _plain(text: str) -> list[str]:
    """Return the words: tools write the line ends within a span as spaces, or as a backslash and an n."""
    return text.replace("\\n", " ").split()


def misfit_lines(misfits: Sequence[Misfit]) -> list[str]:
    """Return for people how many spans did not fit, why and what became of them, and the first ten of them."""
    counts = Counter((misfit.reason, misfit.is_kept) for misfit in misfits)
    return [
        *(
            f"spans {reason}: {count:,} ({'widened' if is_kept else 'dropped'})"
            for (reason, is_kept), count in counts.items()
        ),
        *(f"  {misfit}" for misfit in misfits[:_SHOWN]),
        *(["  …"] if len(misfits) > _SHOWN else []),
    ]
