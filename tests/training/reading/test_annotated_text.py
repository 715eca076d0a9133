"""Spans of characters on the tokens of the service."""

import pytest

from seqserve.tagger.tags import spans_from_tags
from seqserve.training.reading.annotated_text import (
    INSIDE_A_TOKEN,
    OVERLAPS,
    WITHOUT_TOKENS,
    AnnotatedText,
    CharacterSpan,
    align,
    misfit_lines,
)
from seqserve.training.reading.lines import TextError


def annotated(text: str, *names: str, label: str = "X") -> AnnotatedText:
    """A text in which these parts are spans."""
    spans = [CharacterSpan(text.index(name), text.index(name) + len(name), label) for name in names]
    return AnnotatedText(text, tuple(spans), "f.jsonl, line 7")


def names_in(text: AnnotatedText, unaligned: str = "widen") -> list[list[str]]:
    """The spans of each sentence, their tokens joined."""
    sentences, _ = align(text, unaligned)  # type: ignore[arg-type]
    return [[" ".join(each.tokens[s.start : s.end]) for s in spans_from_tags(each.tags)] for each in sentences]


def test_spans_are_on_the_tokens_and_sentences_of_the_service() -> None:
    text = annotated("Jean-Luc Moreau left. He saw Rome.", "Jean-Luc Moreau", "Rome")
    assert names_in(text) == [["Jean - Luc Moreau"], ["Rome"]]
    assert all(sentence.is_served for sentence in align(text, "widen")[0])


def test_a_span_across_sentences_joins_them() -> None:
    assert names_in(annotated("He read Help! I Need Somebody. She slept.", "Help! I Need")) == [["Help ! I Need"], []]


def test_white_space_at_the_ends_of_a_span_is_no_part_of_it() -> None:
    sentences, misfits = align(annotated("He saw Rome today", " Rome "), "refuse")
    assert (spans_from_tags(sentences[0].tags), misfits) == ([("X", 2, 3)], [])


def test_tokens_are_composed_after_spans_are_counted() -> None:
    assert names_in(annotated("Jose\u0301 saw Rome", "Rome")) == [["Rome"]]
    assert align(annotated("Jose\u0301 left"), "widen")[0][0].tokens[0] == "Jos\u00e9"


@pytest.mark.parametrize(("unaligned", "names"), [("widen", ["falafel wraps"]), ("drop", [])])
def test_a_span_with_an_edge_inside_a_token(unaligned: str, names: list[str]) -> None:
    text = annotated("The falafel wraps left", "falafel wrap")
    assert names_in(text, unaligned) == [names]
    (misfit,) = align(text, unaligned)[1]  # type: ignore[arg-type]
    assert (misfit.reason, misfit.is_kept) == (INSIDE_A_TOKEN, unaligned == "widen")
    assert str(misfit) == "f.jsonl, line 7: X 'falafel wrap' in 'falafel wraps'"


@pytest.mark.parametrize("names", [("falafel wrap",), ("the stew", "stew"), (" ",)], ids=["inside", "overlap", "empty"])
def test_refusing_names_the_place(names: tuple[str, ...]) -> None:
    with pytest.raises(TextError, match=r"^f\.jsonl, line 7: X '.*': a span (with|overl)"):
        align(annotated("the stew, falafel wraps", *names), "refuse")


def test_of_overlapping_spans_the_longest_is_kept_and_the_same_one_counts_once() -> None:
    text = annotated("Bank of England rose", "England", "Bank of England", "Bank of England")
    assert names_in(text) == [["Bank of England"]]
    assert [misfit.reason for misfit in align(text, "widen")[1]] == [OVERLAPS]


def test_a_span_without_a_token_is_dropped() -> None:
    _, misfits = align(annotated("a  b", "  "), "widen")
    assert [misfit.reason for misfit in misfits] == [WITHOUT_TOKENS]


def spans(*values: tuple[int, int, str | None]) -> tuple[CharacterSpan, ...]:
    return tuple(CharacterSpan(start, end, "X", text) for start, end, text in values)


@pytest.mark.parametrize("place", [(3, 7), (4, 8)], ids=["code points", "units of UTF-16"])
def test_offsets_are_counted_as_the_text_of_a_span_shows(place: tuple[int, int]) -> None:
    text = AnnotatedText("😀, Rome rose", spans((*place, "Rome")), "f.jsonl, line 1")
    assert names_in(text) == [["Rome"]]


def test_line_ends_within_the_text_of_a_span_are_written_in_several_ways() -> None:
    for written in ("New York", "New\\nYork", "New\nYork"):
        text = AnnotatedText("New\nYork rose", spans((0, 8, written)), "f.jsonl, line 1")
        assert names_in(text) == [["New York"]]


@pytest.mark.parametrize(
    ("span", "message"),
    [
        ((0, 99, None), r"the span 0 to 99 \(X\) is not within the 9 characters of the text"),
        ((5, 2, None), r"the span 5 to 2 \(X\) is not within"),
        ((0, 4, "rose"), r"characters 0 to 4 are 'Rome', not 'rose' \(X\)"),
    ],
    ids=["beyond", "reversed", "other text"],
)
def test_offsets_that_do_not_match_are_named(span: tuple[int, int, str | None], message: str) -> None:
    with pytest.raises(TextError, match=rf"^f\.jsonl, line 1: {message}"):
        align(AnnotatedText("Rome rose", spans(span), "f.jsonl, line 1"), "widen")


def test_the_first_ten_misfits_are_shown() -> None:
    _, misfits = align(annotated("abcdefghijklmnopqrst", *"abcdefghijkl"), "drop")
    lines = misfit_lines(misfits)
    assert lines[0] == "spans with an edge inside a token: 12 (dropped)"
    assert [line.partition(": ")[2] for line in lines[1:3]] == [
        "X 'a' in 'abcdefghijklmnopqrst'",
        "X 'b' in 'abcdefghijklmnopqrst'",
    ]
    assert len(lines) == 12
    assert lines[-1] == "  …"
