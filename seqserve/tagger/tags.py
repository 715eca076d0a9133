"""Tag schemes (IOB1, BIO, BIOES) and the spans that a row of tags stands for."""

import functools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

OUTSIDE = "O"
_PREFIXES = {"BIO": "BI", "BIOES": "BIES"}
_READ_AS = {"B": "B", "I": "I", "M": "I", "E": "E", "S": "S"}  # M: the middle of BMES


class Span(NamedTuple):
    """A labelled, half-open range of tokens."""

    label: str
    start: int
    end: int


def make_tags(labels: Sequence[str], scheme: str) -> tuple[str, ...]:
    """Return "O" followed by the tags of each label in turn; scheme is "BIO" or "BIOES"."""
    prefixes = _prefixes_of(scheme)
    if len(set(labels)) != len(labels) or "" in labels:
        raise ValueError(f"labels must be distinct and not empty, not {list(labels)}")
    return (OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in prefixes))


@functools.lru_cache(maxsize=4096)  # split for every token of every answer
def split_tag(tag: str) -> tuple[str, str]:
    """Split "B-PER" into ("B", "PER"); "O" gives ("O", "").

    Raises ValueError on a tag that belongs to no scheme known here.
    """
    if tag == OUTSIDE:
        return OUTSIDE, ""
    prefix, _, label = tag.partition("-")
    if prefix not in _READ_AS:
        raise ValueError(f"tag {tag!r} is neither O nor starts with B-, I-, M-, E- or S-")
    return _READ_AS[prefix], label


def continues(previous: str, tag: str) -> bool:
    """Say whether `tag` belongs to the same span as the tag just before it.

    The rules are conlleval's: a span goes on while the label stays, until a B or S begins another or an E or S ends it.
    """
    prefix, label = split_tag(tag)
    if prefix not in ("I", "E"):
        return False
    previous_prefix, previous_label = split_tag(previous)
    return previous_prefix in ("B", "I") and previous_label == label


def spans_from_tags(tags: Sequence[str]) -> list[Span]:
    """Read the spans of a row of tags as conlleval does, in order.

    Any mixture of IOB1, BIO, BIOES and BMES is read; an I or E that continues nothing starts a span.
    """
    spans: list[Span] = []
    start, label, previous = -1, "", OUTSIDE
    for position, tag in enumerate(tags):
        if tag == previous == OUTSIDE or continues(previous, tag):
            previous = tag
            continue
        if start >= 0:
            spans.append(Span(label, start, position))
        prefix, label = split_tag(tag)
        start = -1 if prefix == OUTSIDE else position
        previous = tag
    if start >= 0:
        spans.append(Span(label, start, len(tags)))
    return spans


def tags_from_spans(spans: Iterable[Span], length: int, scheme: str) -> list[str]:
    """Write spans as `length` tags; scheme is "IOB1", "BIO" or "BIOES".

    Raises ValueError when spans overlap, are empty or leave the sentence.
    """
    if scheme != "IOB1":
        _prefixes_of(scheme)
    tags = [OUTSIDE] * length
    before = Span("", 0, 0)
    for span in sorted(spans, key=lambda item: (item.start, item.end)):
        if not 0 <= span.start < span.end <= length:
            raise ValueError(f"span {tuple(span)} is empty or leaves the {length} tokens of its sentence")
        if span.start < before.end:
            raise ValueError(f"spans {tuple(before)} and {tuple(span)} overlap")
        touches = before.end == span.start and before.label == span.label
        tags[span.start : span.end] = _tags_of(span, scheme, touches=touches)
        before = span
    return tags


def allowed_transitions(
    tags: Sequence[str], scheme: str
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Say which tags may come first (K,), follow each other (K,K) [from,to] and come last (K,)."""
    _prefixes_of(scheme)
    parts = [split_tag(tag) for tag in tags]
    # In BIO a span may end anywhere; in BIOES only E and S end one, so B and I must be continued.
    unfinished = np.array([scheme == "BIOES" and prefix in ("B", "I") for prefix, _ in parts], dtype=bool)
    inner = np.array([prefix in ("I", "E") for prefix, _ in parts], dtype=bool)
    follows = np.array([[continues(previous, tag) for tag in tags] for previous in tags], dtype=bool)
    fresh = ~unfinished[:, None] & ~inner[None, :]
    return ~inner, follows | fresh, ~unfinished


def _prefixes_of(scheme: str) -> str:
    if scheme not in _PREFIXES:
        raise ValueError(f"scheme must be one of {', '.join(_PREFIXES)}, not {scheme!r}")
    return _PREFIXES[scheme]


def _tags_of(span: Span, scheme: str, *, touches: bool) -> list[str]:
    inside = f"I-{span.label}"
    size = span.end - span.start
    if scheme == "IOB1":
        # B only parts a span from one of the same label that ends just before it.
        return [f"B-{span.label}" if touches else inside, *[inside] * (size - 1)]
    if scheme == "BIO":
        return [f"B-{span.label}", *[inside] * (size - 1)]
    if size == 1:
        return [f"S-{span.label}"]
    return [f"B-{span.label}", *[inside] * (size - 2), f"E-{span.label}"]
