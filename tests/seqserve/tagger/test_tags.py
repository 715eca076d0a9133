"""Tags and spans: the rules are conlleval's."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.tagger.tags import Span, allowed_transitions, continues, make_tags, spans_from_tags, tags_from_spans

FIXTURES = Path(__file__).parents[2] / "fixtures"
LABELS = ("PER", "ORG", "GPE-LOC")
SCHEMES = ("BIO", "BIOES", "IOB1")
MODEL_SCHEMES = ("BIO", "BIOES")


@st.composite
def spans_and_length(draw: st.DrawFn) -> tuple[list[Span], int]:
    spans, position = [], 0
    for gap, size, label in draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.sampled_from(LABELS)), max_size=6)
    ):
        spans.append(Span(label, position + gap, position + gap + size))
        position += gap + size
    return spans, position + draw(st.integers(0, 2))


def test_tags_stand_in_the_order_of_the_graph() -> None:
    assert make_tags(["PER", "LOC"], "BIO") == ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
    assert make_tags(["PER"], "BIOES") == ("O", "B-PER", "I-PER", "E-PER", "S-PER")


@pytest.mark.parametrize(("labels", "scheme"), [(["A", "A"], "BIO"), ([""], "BIO"), (["A"], "IOB1"), (["A"], "bio")])
def test_make_tags_refuses(labels: list[str], scheme: str) -> None:
    with pytest.raises(ValueError, match=r"labels must be distinct|scheme must be one of BIO, BIOES"):
        make_tags(labels, scheme)


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("", []),
        ("O O", []),
        ("B-A I-A O", [("A", 0, 2)]),
        ("B-A B-A", [("A", 0, 1), ("A", 1, 2)]),
        ("O I-A I-A", [("A", 1, 3)]),
        ("I-A I-B", [("A", 0, 1), ("B", 1, 2)]),
        ("B-B I-A", [("B", 0, 1), ("A", 1, 2)]),
        ("I-A B-A I-A", [("A", 0, 1), ("A", 1, 3)]),
        ("B-A E-A", [("A", 0, 2)]),
        ("B-A O E-A", [("A", 0, 1), ("A", 2, 3)]),
        ("E-A E-A", [("A", 0, 1), ("A", 1, 2)]),
        ("E-A I-A", [("A", 0, 1), ("A", 1, 2)]),
        ("S-A S-A", [("A", 0, 1), ("A", 1, 2)]),
        ("S-A I-A", [("A", 0, 1), ("A", 1, 2)]),
        ("B-A S-A", [("A", 0, 1), ("A", 1, 2)]),
        ("B-A M-A E-A", [("A", 0, 3)]),
        ("B-X-Y I-X-Y", [("X-Y", 0, 2)]),
        ("B-A I-A", [("A", 0, 2)]),
        ("O B-A", [("A", 1, 2)]),
    ],
    ids=lambda value: value.replace(" ", "_") or "nothing" if isinstance(value, str) else "",
)
def test_spans_are_read_as_conlleval_reads_them(tags: str, spans: list[tuple[str, int, int]]) -> None:
    assert spans_from_tags(tags.split()) == [Span(*span) for span in spans]


@pytest.mark.parametrize("tag", ["X-PER", "PER", "", "b-PER"])
def test_a_tag_of_no_scheme_is_refused_by_name(tag: str) -> None:
    with pytest.raises(ValueError, match=f"tag '{tag}' is neither O"):
        spans_from_tags(["O", tag])


def test_spans_equal_those_of_seqeval() -> None:
    cases = json.loads((FIXTURES / "seqeval.json").read_text(encoding="utf-8"))
    for case in cases:
        for row, spans in zip(case["gold"] + case["found"], case["spans"], strict=True):
            assert spans_from_tags(row.split()) == [Span(*span) for span in spans], row


@pytest.mark.parametrize("scheme", SCHEMES)
@given(case=spans_and_length())
def test_spans_come_back_from_their_tags(scheme: str, case: tuple[list[Span], int]) -> None:
    spans, length = case
    tags = tags_from_spans(spans, length, scheme)
    assert len(tags) == length
    assert spans_from_tags(tags) == spans


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("IOB1", "I-A I-A B-A I-B O I-A"),
        ("BIO", "B-A I-A B-A B-B O B-A"),
        ("BIOES", "B-A E-A S-A S-B O S-A"),
    ],
)
def test_spans_are_written_in_each_scheme(scheme: str, tags: str) -> None:
    spans = [Span("A", 5, 6), Span("A", 0, 2), Span("A", 2, 3), Span("B", 3, 4)]
    assert tags_from_spans(spans, 6, scheme) == tags.split()


@pytest.mark.parametrize(
    ("spans", "scheme", "reason"),
    [
        ([Span("A", 0, 2), Span("A", 1, 3)], "BIO", "overlap"),
        ([Span("A", 2, 2)], "BIO", "empty or leaves the 3 tokens"),
        ([Span("A", 2, 4)], "BIO", "empty or leaves the 3 tokens"),
        ([Span("A", -1, 1)], "BIO", "empty or leaves the 3 tokens"),
        ([], "BMES", "scheme must be one of"),
    ],
)
def test_spans_that_cannot_be_written_are_refused(spans: list[Span], scheme: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        tags_from_spans(spans, 3, scheme)


@pytest.mark.parametrize("scheme", MODEL_SCHEMES)
@given(data=st.data())
def test_a_path_is_allowed_if_and_only_if_its_spans_write_it_again(scheme: str, data: st.DataObject) -> None:
    tags = make_tags(("A", "B"), scheme)
    path = data.draw(st.lists(st.integers(0, len(tags) - 1), min_size=1, max_size=6))
    start, transitions, end = allowed_transitions(tags, scheme)
    allowed = start[path[0]] and end[path[-1]] and all(transitions[a, b] for a, b in itertools.pairwise(path))
    names = [tags[tag] for tag in path]
    assert allowed == (tags_from_spans(spans_from_tags(names), len(names), scheme) == names)


@pytest.mark.parametrize("scheme", MODEL_SCHEMES)
@given(case=spans_and_length())
def test_every_row_of_spans_is_an_allowed_path(scheme: str, case: tuple[list[Span], int]) -> None:
    tags = make_tags(LABELS, scheme)
    start, transitions, end = allowed_transitions(tags, scheme)
    path = [tags.index(tag) for tag in tags_from_spans(*case, scheme)]
    assert all(transitions[a, b] for a, b in itertools.pairwise(path))
    assert not path or (start[path[0]] and end[path[-1]])


def test_transitions_are_boolean_from_row_to_column() -> None:
    start, transitions, end = allowed_transitions(("O", "B-A", "I-A"), "BIO")
    assert start.dtype == transitions.dtype == end.dtype == np.bool_
    assert start.tolist() == [True, True, False]
    assert transitions.tolist() == [[True, True, False], [True, True, True], [True, True, True]]
    assert end.tolist() == [True, True, True]


@given(st.lists(st.sampled_from(make_tags(("A", "B"), "BIOES")), min_size=2, max_size=2))
def test_continues_says_that_two_tags_share_a_span(pair: list[str]) -> None:
    spans = spans_from_tags(pair)
    assert continues(*pair) == any(span.end - span.start == 2 for span in spans)
