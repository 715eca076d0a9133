"""The CRF in the graph against the enumeration of every tag sequence."""

import itertools

import numpy as np
import pytest

from seqserve.tagger.tags import allowed_transitions, continues, make_tags, spans_from_tags
from seqserve.training.export.potentials import Potentials
from tests.training.export.sessions import open_crf


def random_weights(generator, num_tags, scale=1.0):
    return {
        "crf.start": generator.normal(0, scale, num_tags).astype(np.float32),
        "crf.transitions": generator.normal(0, scale, (num_tags, num_tags)).astype(np.float32),
        "crf.end": generator.normal(0, scale, num_tags).astype(np.float32),
    }


def legal_paths(weights, tags, scheme, emissions):
    """Every tag sequence that the scheme allows, and its probability in float64."""
    start, transitions, end = allowed_transitions(tags, scheme)
    paths, scores = [], []
    for path in itertools.product(range(len(tags)), repeat=len(emissions)):
        steps = list(itertools.pairwise(path))
        if not start[path[0]] or not end[path[-1]] or not all(transitions[step] for step in steps):
            continue
        score = float(weights["crf.start"][path[0]]) + float(weights["crf.end"][path[-1]])
        score += sum(float(emissions[t, tag]) for t, tag in enumerate(path))
        score += sum(float(weights["crf.transitions"][step]) for step in steps)
        paths.append(path)
        scores.append(score)
    scores = np.array(scores)
    probs = np.exp(scores - scores.max())
    return np.array(paths), probs / probs.sum()


def expected_answers(weights, tags, scheme, emissions):
    """Best path, marginals (T,K), and for each token the probability of what `span_probs` promises."""
    paths, probs = legal_paths(weights, tags, scheme, emissions)
    best = paths[probs.argmax()]
    marginals = np.zeros((len(emissions), len(tags)))
    for path, prob in zip(paths, probs, strict=True):
        marginals[np.arange(len(path)), path] += prob
    spans = [set(spans_from_tags([tags[tag] for tag in path])) for path in paths]
    best_spans = spans_from_tags([tags[tag] for tag in best])
    ends = {t: span.end for span in best_spans for t in range(span.start, span.end)}
    rest = np.zeros(len(best))
    for t in range(len(best)):
        end = ends.get(t, t + 1)
        for path, prob, its_spans in zip(paths, probs, spans, strict=True):
            stops = t not in ends or any(span.end == end and span.start <= t for span in its_spans)
            rest[t] += prob * (stops and np.array_equal(path[t:end], best[t:end]))
    exact = {span: sum(p for p, its in zip(probs, spans, strict=True) if span in its) for span in best_spans}
    return best, marginals, rest, exact


def expected_continuations(weights, tags, scheme, emissions):
    """P(the next tag is the I tag of the same label | tag k at t), (T,K); where tag k is impossible, not a number."""
    paths, probs = legal_paths(weights, tags, scheme, emissions)
    going_on, marginals = np.zeros((2, len(emissions), len(tags)))
    for path, prob in zip(paths, probs, strict=True):
        marginals[np.arange(len(path)), path] += prob
        for t, (tag, after) in enumerate(itertools.pairwise(path)):
            going_on[t, tag] += prob * (continues(tags[tag], tags[after]) and tags[after].startswith("I"))
    return np.divide(going_on, marginals, out=np.full_like(marginals, np.nan), where=marginals > 0)


def padded(rows, size):
    """Emissions (T,B,S) of rows (T,K), with noise where the padding is."""
    longest = max(len(row) for row in rows)
    emissions = np.random.default_rng(9).normal(0, 5, (longest, len(rows), size)).astype(np.float32)
    for i, row in enumerate(rows):
        emissions[: len(row), i, :-1] = row
    emissions[:, :, -1] = -1e4
    return {"emissions": emissions, "lengths": np.array([len(row) for row in rows], dtype=np.int64)}


@pytest.mark.parametrize(("scheme", "labels"), [("BIO", ("PER", "LOC")), ("BIOES", ("PER", "LOC")), ("BIO", ("X",))])
@pytest.mark.parametrize("scale", [0.3, 2.0])
def test_everything_equals_the_enumeration_of_all_paths(tmp_path, scheme, labels, scale):
    tags = make_tags(labels, scheme)
    generator = np.random.default_rng(len(tags))
    weights = random_weights(generator, len(tags))
    graph = open_crf(tmp_path, Potentials.of(weights, tags, scheme))
    lengths = [1, 4, 2, 3, 1, 4, 4, 3]
    rows = [generator.normal(0, scale, (length, len(tags))).astype(np.float32) for length in lengths]
    outputs = graph.run(padded(rows, len(tags) + 1))
    num_spans = 0
    for i, row in enumerate(rows):
        best, marginals, rest, exact = expected_answers(weights, tags, scheme, row)
        length = len(row)
        np.testing.assert_array_equal(outputs["path"][:length, i], best)
        np.testing.assert_allclose(outputs["tag_probs"][:length, i], marginals, atol=2e-6)
        np.testing.assert_allclose(outputs["span_probs"][:length, i], rest, atol=2e-6)
        continuing = expected_continuations(weights, tags, scheme, row)
        is_possible = ~np.isnan(continuing)
        np.testing.assert_allclose(
            outputs["continue_probs"][:length, i][is_possible], continuing[is_possible], atol=2e-6
        )
        for span, prob in exact.items():
            assert outputs["span_probs"][span.start, i] == pytest.approx(prob, abs=2e-6)
            num_spans += 1
    assert num_spans > 3


def test_neighbouring_spans_of_one_label_are_kept_apart(tmp_path):
    """B-PER B-PER and B-PER I-PER differ in one tag only, and so do the spans' probabilities."""
    tags = make_tags(("PER",), "BIO")
    weights = {key: np.zeros_like(value) for key, value in random_weights(np.random.default_rng(0), 3).items()}
    row = np.array([[0.0, 3.0, 0.0], [0.0, 2.0, 1.5]], dtype=np.float32)
    outputs = open_crf(tmp_path, Potentials.of(weights, tags, "BIO")).run(padded([row], 4))
    _, _, rest, exact = expected_answers(weights, tags, "BIO", row)
    assert outputs["path"][:, 0].tolist() == [1, 1]
    assert len(exact) == 2
    np.testing.assert_allclose(outputs["span_probs"][:, 0], rest, atol=1e-6)


def test_among_equal_tags_the_lowest_wins(tmp_path):
    tags = make_tags(("PER", "LOC"), "BIO")
    weights = {key: np.zeros_like(value) for key, value in random_weights(np.random.default_rng(0), 5).items()}
    rows = [np.zeros((length, 5), dtype=np.float32) for length in (1, 3)]
    rows[1][2, 1:] = 1.0  # tags 1 to 4 are equal at the last token
    path = open_crf(tmp_path, Potentials.of(weights, tags, "BIO")).run(padded(rows, 6))["path"]
    assert path[0, 0] == 0
    assert path[:, 1].tolist() == [0, 0, 1]


@pytest.mark.parametrize("scale", [30.0, 1e3, 1e6])
def test_extreme_emissions_give_probabilities_still(tmp_path, scale):
    """Emissions that contradict the scheme at every token underflow nowhere."""
    tags = make_tags(("PER", "LOC", "ORG"), "BIOES")
    generator = np.random.default_rng(3)
    weights = random_weights(generator, len(tags), scale=2.0)
    graph = open_crf(tmp_path, Potentials.of(weights, tags, "BIOES"))
    rows = [generator.normal(0, scale, (length, len(tags))).astype(np.float32) for length in (1, 2, 9, 40, 80) * 4]
    outputs = graph.run(padded(rows, len(tags) + 1))
    start, transitions, end = allowed_transitions(tags, "BIOES")
    for i, row in enumerate(rows):
        path = outputs["path"][: len(row), i]
        assert start[path[0]]
        assert end[path[-1]]
        assert transitions[path[:-1], path[1:]].all()
        np.testing.assert_allclose(outputs["tag_probs"][: len(row), i].sum(axis=1), 1.0, atol=1e-5)
        for name in ("span_probs", "continue_probs"):
            assert ((outputs[name][: len(row), i] >= 0) & (outputs[name][: len(row), i] <= 1)).all()


def test_forbidden_tags_have_probability_zero(tmp_path):
    tags = make_tags(("PER",), "BIOES")
    weights = random_weights(np.random.default_rng(1), len(tags))
    row = np.zeros((1, len(tags)), dtype=np.float32)
    outputs = open_crf(tmp_path, Potentials.of(weights, tags, "BIOES")).run(padded([row], len(tags) + 1))
    possible = {tag for tag, prob in zip(tags, outputs["tag_probs"][0, 0], strict=True) if prob > 0}
    assert possible == {"O", "S-PER"}
