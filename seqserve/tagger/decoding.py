"""Choose the spans of a sentence by their own posteriors in place of the best path.

A found span adds to F1 = 2 · correct / (found + gold) when its posterior is above half of the F1 that is reached, so
the set of largest expected F1 holds the spans above a threshold (Lipton, Elkan and Narayanaswamy 2014, "Optimal
Thresholding of Classifiers to Maximize F1 Measure"). It is a minimum-Bayes-risk decoding.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta

from seqserve.tagger.model import TaggedSentence
from seqserve.tagger.tags import Span, split_tag, tags_from_spans

BEST_PATH: Literal["best_path"] = "best_path"
EXPECTED_F1: Literal["expected_f1"] = "expected_f1"
Decode = Annotated[
    Literal["best_path", "expected_f1"],
    Meta(
        description="`best_path`: the entities of the most probable tags. `expected_f1`: every span whose own "
        "probability is high enough for the largest expected F1."
    ),
]


def likely_spans(sentence: TaggedSentence, tags: Sequence[str], at_least: float) -> dict[Span, float]:
    """Return every span whose exact posterior is `at_least`, a number above 0, with that posterior.

    `tags`: in the order of the last axis of tag_probs. Raises ValueError for the answer of a graph without
    continue_probs.
    """
    if sentence.continue_probs is None:
        raise ValueError("posteriors of all spans need continue_probs, which this graph does not give")
    found: dict[Span, float] = {}
    columns = {tag: column for column, tag in enumerate(tags)}
    has_end_tags = any(split_tag(tag)[0] == "E" for tag in tags)
    for tag, column in columns.items():
        prefix, label = split_tag(tag)
        if prefix not in ("B", "S"):
            continue
        for start in np.flatnonzero(sentence.tag_probs[:, column] >= at_least).tolist():
            if prefix == "S":
                ends = iter([(start + 1, float(sentence.tag_probs[start, column]))])
            else:
                ends = _ends(sentence, start, (column, columns[f"I-{label}"]), at_least)
            found |= {
                Span(label, start, end + (has_end_tags and prefix == "B")): prob
                for end, prob in ends
                if prob >= at_least
            }
    return found


def by_expected_f1(sentence: TaggedSentence, tags: Sequence[str], *, scheme: str, threshold: float) -> TaggedSentence:
    """Return the sentence with the spans whose posterior is at least `threshold` in place of the best path's.

    Of two that overlap the more probable one is kept; no tagging holds both, so their posteriors sum to at most 1.
    span_probs holds the posterior of the whole span at each of its tokens, and 0 elsewhere. Raises ValueError as
    `likely_spans` does.
    """
    found = likely_spans(sentence, tags, threshold)
    # The graph's own number for a span that both ways find: the product here rounds in another order.
    found |= {span: prob for span, prob in sentence.entities() if span in found}
    chosen = _without_overlaps(found)
    span_probs = np.zeros_like(sentence.span_probs)
    for span in chosen:
        span_probs[span.start : span.end] = found[span]
    chosen_tags = tags_from_spans(chosen, len(sentence.tags), scheme)
    return dataclasses.replace(sentence, tags=tuple(chosen_tags), span_probs=span_probs)


def _ends(
    sentence: TaggedSentence, start: int, columns: tuple[int, int], at_least: float
) -> Iterator[tuple[int, float]]:
    """Yield where a span that begins at `start` may stop, with the probability that no I tag follows from there on.

    `columns`: of its B and I tag. P(stops at j) = P(B at start) Π<t = start..j-2> c<t> (1 − c<j-1>), where c<t> is the
    probability that I follows the tag at t. In BIOES the tag that follows is E, so the span is one token longer.
    """
    assert sentence.continue_probs is not None
    column, inside = columns
    prob = float(sentence.tag_probs[start, column])
    for place in range(start, len(sentence.tags)):
        going_on = float(sentence.continue_probs[place, column])
        yield place + 1, prob * (1.0 - going_on)
        prob *= going_on
        if prob < at_least:
            return
        column = inside


def _without_overlaps(found: Mapping[Span, float]) -> list[Span]:
    """Return spans by falling probability, without those that overlap an earlier one; ties go to the first place."""
    chosen: list[Span] = []
    for span in sorted(found, key=lambda span: (-found[span], span.start, span.end, span.label)):
        if all(span.end <= other.start or other.end <= span.start for other in chosen):
            chosen.append(span)
    return chosen
