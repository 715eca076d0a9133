"""Sentences that the layout of a text ends, and those that go on over it."""

import pytest

from tests.seqserve.text.test_sentences import pieces


@pytest.mark.parametrize(
    "text",
    [
        "Berlin|Paris|Rome",
        "Angela Merkel|Olaf Scholz",
        "Kind regards|Tom Baker|Globex Ltd|Leeds",
        "Sarah|Sarah Connor|Sales Manager|Northwind Traders",
        "Priya Raman|Acme Corporation|45 High Street|London SW1A 2AA",
        "Attendees|Ann Lee|Bob Ross",
        "we met Ann Lee at the fair.|Kind regards|Tom Baker",
        "- buy milk|- call Ann Lee|- pay the rent for the flat in London before the end of the month",
        "1. Ferrari|2. McLaren",
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_lists_end_at_each_line(text: str, line_end: str) -> None:
    assert pieces(text.replace("|", line_end)) == text.split("|")


@pytest.mark.parametrize("gap", ["\t", "   ", "      "])
def test_columns_end_at_each_gap(gap: str) -> None:
    row = ["Joe Biden", "Dublin", "Nokia"]
    assert pieces(gap.join(row) + "\n" + gap.join(row)) == row * 2


@pytest.mark.parametrize(
    "text",
    [
        "Angela|Merkel visited",
        "He said that Angela|Merkel visited Berlin.",
        "Researchers at|Stanford University published it.",
        "She met Dr.|Alan Taylor.",
        "The report was written by Angela|Merkel and her team in the spring of that year, as far|as we know.",
        "Angela|Merkel|visited|Rome|and|spoke",
        "the chancellor|Angela Merkel",
        "Martin Luther King and|Malcolm X met.",
        "Thanks,|Priya",
        "Attendees:|Ann Lee",
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "   "])
def test_wrapped_prose_stays_whole(text: str, line_end: str) -> None:
    joined = text.replace("|", line_end)
    assert pieces(joined) == [joined]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("He works at Acme Inc. The rest left.", ["He works at Acme Inc.", "The rest left."]),
        ("He lives in the U.S. But I do not.", ["He lives in the U.S.", "But I do not."]),
        ("Mr. And Mrs. Smith came.", ["Mr. And Mrs. Smith came."]),
        ("See Vol. I of it.", ["See Vol. I of it."]),
        ("Roe v. Wade was read.", ["Roe v. Wade was read."]),
        ("Northwind Inc. Chief Dana Cole left.", ["Northwind Inc. Chief Dana Cole left."]),
    ],
)
def test_the_period_of_an_abbreviation_ends_a_sentence_before_a_starter(text: str, sentences: list[str]) -> None:
    assert pieces(text) == sentences
