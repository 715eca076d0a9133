"""Stop strings: found wherever they end first, whatever the pieces; nothing of them gets through."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.language.sampling.stops import StopSearch

STOPS = st.lists(st.text(alphabet="ab", min_size=1, max_size=5), max_size=4)
PIECES = st.lists(st.text(alphabet="abc", max_size=4), max_size=20)


def cut(text: str, stops: Sequence[str]) -> str | None:
    """The text before the stop string that ends first, the longest of those; None when none is in it."""
    found = [(text.find(stop) + len(stop), text.find(stop)) for stop in stops if stop in text]
    return text[: min(found)[1]] if found else None


def run(stops: Sequence[str], pieces: Sequence[str]) -> tuple[list[str], bool]:
    search = StopSearch(stops)
    out = [search.push(piece) for piece in pieces]
    return [*out, search.end()], search.is_found


@given(STOPS, PIECES)
def test_it_finds_what_a_look_at_the_whole_text_finds(stops: list[str], pieces: list[str]) -> None:
    out, is_found = run(stops, pieces)
    expected = cut("".join(pieces), stops)
    assert is_found == (expected is not None)
    assert "".join(out) == ("".join(pieces) if expected is None else expected)


@given(STOPS, PIECES)
def test_no_more_is_held_back_than_may_begin_a_stop_string(stops: list[str], pieces: list[str]) -> None:
    search = StopSearch(stops)
    through = ""
    for number, piece in enumerate(pieces, start=1):
        through += search.push(piece)
        if search.is_found:
            return
        held = "".join(pieces[:number])[len(through) :]
        assert held == "" or any(stop.startswith(held) for stop in stops)


@pytest.mark.parametrize(
    ("stops", "pieces", "text"),
    [
        (["aab"], ["a", "a", "a", "b", "c"], "a"),
        (["aab"], ["aaab"], "a"),
        (["abab"], ["a", "ba", "bab"], ""),
        (["ababc"], ["abab", "abc"], "ab"),
        (["the end"], ["the", " e", "nd of"], ""),
        (["\n"], ["one\ntwo"], "one"),
        (["b", "ab"], ["xab"], "x"),
        (["abc", "b"], ["xabc"], "xa"),
        (["é"], ["cafe\u0301 é"], "cafe\u0301 "),
        (["👩‍👧"], ["👩", "‍", "👧"], ""),
    ],
)
def test_examples(stops: list[str], pieces: list[str], text: str) -> None:
    out, is_found = run(stops, pieces)
    assert is_found
    assert "".join(out) == text


def test_nothing_comes_after_it() -> None:
    search = StopSearch(["b"])
    assert [search.push("ab"), search.push("cd"), search.end()] == ["a", "", ""]


def test_without_stop_strings_everything_goes_through_at_once() -> None:
    assert run([], ["a", "", "b"]) == (["a", "", "b", ""], False)
