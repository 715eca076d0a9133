"""Span scores against conlleval's numbers: a table worked by hand, and seqeval's on random tags."""

import json
from pathlib import Path
from typing import Any

import pytest

from seqserve.tagger.tags import Span, spans_from_tags
from seqserve.training.taggers.metrics import report, score_spans, score_tags

FIXTURES = Path(__file__).parents[2] / "fixtures"

# Gold 5 phrases: LOC 0-2, PER 3, ORG 5-6 | PER 0, PER 1. Found 6: LOC 0-2, PER 3, ORG 5, ORG 6 | PER 0-1, MISC 3.
# Correct 2: LOC 0-2, PER 3. Equal tags: 7 of the first 8 (all but the second ORG) and 2 of the last 4 (B-PER, O).
GOLD = [
    ["B-LOC", "I-LOC", "I-LOC", "B-PER", "O", "B-ORG", "I-ORG", "O"],
    ["B-PER", "B-PER", "O", "O"],
]
FOUND = [
    ["B-LOC", "I-LOC", "I-LOC", "B-PER", "O", "B-ORG", "B-ORG", "O"],
    ["B-PER", "I-PER", "O", "B-MISC"],
]
TABLE = """\
processed 12 tokens with 5 phrases; found: 6 phrases; correct: 2.
accuracy:  75.00%; precision:  33.33%; recall:  40.00%; FB1:  36.36
              LOC: precision: 100.00%; recall: 100.00%; FB1: 100.00  1
             MISC: precision:   0.00%; recall:   0.00%; FB1:   0.00  1
              ORG: precision:   0.00%; recall:   0.00%; FB1:   0.00  2
              PER: precision:  50.00%; recall:  33.33%; FB1:  40.00  2
"""


def test_report_is_conllevals_table() -> None:
    assert report(score_tags(GOLD, FOUND)) == TABLE


def test_spans_alone_give_the_same_rates_without_tokens() -> None:
    scores = score_spans([spans_from_tags(tags) for tags in GOLD], [spans_from_tags(tags) for tags in FOUND])
    assert (scores.precision, scores.recall, scores.f1) == (2 / 6, 2 / 5, 4 / 11)
    assert scores.accuracy is None
    assert report(scores).startswith("processed 5 phrases; found: 6 phrases; correct: 2.\nprecision:  33.33%; ")


@pytest.mark.parametrize(
    ("gold", "found", "counts"),
    [
        (["I-A", "I-A"], ["B-A", "I-A"], (1, 1, 1)),  # an I that continues nothing begins a phrase
        (["I-A", "I-B"], ["B-A", "B-B"], (2, 2, 2)),  # another label begins a phrase
        (["B-A", "I-B"], ["B-A", "O"], (2, 1, 1)),
        (["B-A", "I-A"], ["B-A", "B-A"], (1, 2, 0)),  # same start and label, another end
        (["O", "O"], ["B-A", "O"], (0, 1, 0)),
        (["B-A", "E-A", "S-A"], ["B-A", "I-A", "B-A"], (2, 2, 2)),
    ],
    ids=["IOB1", "label changes", "broken I", "longer", "nothing to find", "BIOES"],
)
def test_phrases_are_read_as_conlleval_reads_them(
    gold: list[str], found: list[str], counts: tuple[int, int, int]
) -> None:
    overall = score_tags([gold], [found]).overall
    assert (overall.num_gold, overall.num_found, overall.num_correct) == counts


def test_nothing_at_all_scores_zero() -> None:
    scores = score_tags([], [])
    assert (scores.precision, scores.recall, scores.f1, scores.accuracy, scores.labels) == (0.0, 0.0, 0.0, 0.0, {})


def test_a_span_counts_once_for_each_sentence() -> None:
    spans = [Span("A", 0, 1)]
    assert score_spans([spans, spans], [spans, []]).overall.num_correct == 1


def test_unequal_numbers_of_sentences_or_tags_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        score_spans([[]], [])
    with pytest.raises(ValueError, match="zip"):
        score_tags([["O", "O"]], [["O"]])


SEQEVAL = json.loads((FIXTURES / "seqeval.json").read_text(encoding="utf-8"))


def test_scores_equal_seqevals() -> None:
    for case in SEQEVAL:
        check_case(case)


def check_case(case: dict[str, Any]) -> None:
    """Check the scores of one case against the recorded ones."""
    gold, found = ([row.split() for row in case[name]] for name in ("gold", "found"))
    scores = score_tags(gold, found)
    overall = scores.overall
    assert [overall.precision, overall.recall, overall.f1, overall.num_gold] == pytest.approx(case["overall"])
    for counts, expected in zip(scores.labels.values(), case["by_label"], strict=True):
        assert [counts.precision, counts.recall, counts.f1, counts.num_gold] == pytest.approx(expected)
