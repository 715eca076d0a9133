"""Spans by their own posteriors, against the enumeration of all taggings of a small Markov chain."""

import itertools
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.tagger.decoding import by_expected_f1, likely_spans
from seqserve.tagger.model import TaggedSentence
from seqserve.tagger.tags import Span, allowed_transitions, continues, make_tags, spans_from_tags


def chain(scheme: str, labels: tuple[str, ...], length: int, seed: int) -> tuple[TaggedSentence, dict[Span, float]]:
    """The answer for a random chain of legal tags, and the exact posterior of every span that may be."""
    tags = make_tags(labels, scheme)
    generator = np.random.default_rng(seed)
    starts, moves, ends = allowed_transitions(tags, scheme)
    emissions = generator.normal(0, 1.5, (length, len(tags)))
    paths, weights = [], []
    for path in itertools.product(range(len(tags)), repeat=length):
        if starts[path[0]] and ends[path[-1]] and all(moves[step] for step in itertools.pairwise(path)):
            paths.append(path)
            weights.append(np.exp(sum(emissions[place, tag] for place, tag in enumerate(path))))
    probs = np.array(weights) / np.sum(weights)
    tag_probs, going_on = np.zeros((2, length, len(tags)))
    spans: dict[Span, float] = defaultdict(float)
    for path, prob in zip(paths, probs, strict=True):
        tag_probs[np.arange(length), path] += prob
        for place, (tag, after) in enumerate(itertools.pairwise(path)):
            if continues(tags[tag], tags[after]) and tags[after].startswith("I"):
                going_on[place, tag] += prob
        for span in spans_from_tags([tags[tag] for tag in path]):
            spans[span] += prob
    best = [tags[tag] for tag in paths[int(probs.argmax())]]
    span_probs = np.zeros(length, np.float32)
    for span in spans_from_tags(best):
        span_probs[span.start] = spans[span]
    continue_probs = np.divide(going_on, tag_probs, out=np.zeros_like(going_on), where=tag_probs > 0)
    return (
        TaggedSentence(tuple(best), tag_probs.astype(np.float32), span_probs, continue_probs.astype(np.float32)),
        dict(spans),
    )


CHAINS = pytest.mark.parametrize(
    ("scheme", "labels", "length"),
    [("BIO", ("PER", "LOC"), 5), ("BIOES", ("PER",), 5), ("BIOES", ("PER", "LOC"), 4), ("BIO", ("X",), 1)],
)


@CHAINS
@pytest.mark.parametrize("seed", range(3))
def test_every_span_has_its_exact_posterior(scheme: str, labels: tuple[str, ...], length: int, seed: int) -> None:
    sentence, exact = chain(scheme, labels, length, seed)
    found = likely_spans(sentence, make_tags(labels, scheme), 1e-4)
    assert found.keys() >= {span for span, prob in exact.items() if prob > 2e-4}
    assert found == pytest.approx({span: exact[span] for span in found}, abs=1e-6)


@CHAINS
@pytest.mark.parametrize("threshold", [0.2, 0.4, 0.6])
def test_the_spans_above_the_threshold_are_taken(
    scheme: str, labels: tuple[str, ...], length: int, threshold: float
) -> None:
    for seed in range(5):
        sentence, exact = chain(scheme, labels, length, seed)
        answer = by_expected_f1(sentence, make_tags(labels, scheme), scheme=scheme, threshold=threshold)
        left = sorted((span for span, prob in exact.items() if prob >= threshold), key=lambda span: -exact[span])
        expected: list[Span] = []
        for span in left:
            if all(span.end <= other.start or other.end <= span.start for other in expected):
                expected.append(span)
        scores = dict(answer.entities())
        assert scores == pytest.approx({span: exact[span] for span in expected}, abs=1e-6)
        assert answer.tag_probs is sentence.tag_probs


def test_a_span_of_the_best_path_keeps_the_bits_of_its_score() -> None:
    num_shared = 0
    for seed in range(8):
        sentence, _ = chain("BIOES", ("PER",), 4, seed)
        answer = by_expected_f1(sentence, make_tags(("PER",), "BIOES"), scheme="BIOES", threshold=0.05)
        own, given = dict(sentence.entities()), dict(answer.entities())
        shared = own.keys() & given.keys()
        assert {span: own[span] for span in shared} == {span: given[span] for span in shared}
        num_shared += len(shared)
    assert num_shared > 5


def test_spans_beside_the_best_path_are_found() -> None:
    """The best path has no span, yet one is likely enough: its mass is spread over taggings of what follows."""
    tags = make_tags(("PER", "LOC"), "BIO")
    tag_probs = np.array([[0.55, 0.45, 0, 0, 0]], np.float32)
    sentence = TaggedSentence(("O",), tag_probs, np.array([0.55], np.float32), np.zeros((1, 5), np.float32))
    answer = by_expected_f1(sentence, tags, scheme="BIO", threshold=0.4)
    assert answer.tags == ("B-PER",)
    assert answer.span_probs[0] == np.float32(0.45)
    assert by_expected_f1(sentence, tags, scheme="BIO", threshold=0.5).tags == ("O",)


@given(st.integers(0, 1000))
def test_spans_never_overlap(seed: int) -> None:
    sentence, _ = chain("BIO", ("PER",), 4, seed)
    answer = by_expected_f1(sentence, make_tags(("PER",), "BIO"), scheme="BIO", threshold=0.02)
    assert len(answer.tags) == 4  # tags_from_spans refuses spans that overlap


def test_a_graph_without_the_output_is_refused() -> None:
    sentence = TaggedSentence(("O",), np.ones((1, 3), np.float32), np.ones(1, np.float32))
    with pytest.raises(ValueError, match="continue_probs"):
        likely_spans(sentence, ("O", "B-PER", "I-PER"), 0.4)
