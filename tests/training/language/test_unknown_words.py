"""Words that a vocabulary lacks: which they are, and how many there may be."""

from seqserve.training.language.unknown_words import client_steps, count_unknown
from seqserve.vocabulary.tokens import TokenVocabulary

KNOWN = TokenVocabulary(["the", "cat", "'s", "Paris"])
STEPS = ("plain", "exact", "lower", "capital")


def test_unknown_is_what_no_step_of_the_lookup_finds() -> None:
    found = count_unknown(KNOWN, STEPS, [["THE", "paris", "’s", "zebra"], ["ibex", "zebra", "cat"]])
    assert (found.num_tokens, found.num_unknown, found.num_seen, found.num_once, found.num_twice) == (7, 3, 2, 1, 1)


def test_two_spellings_of_a_word_are_one_type() -> None:
    assert count_unknown(KNOWN, STEPS, [["don’t", "don't", "ﬁn", "fin"]]).num_seen == 2


def test_the_mark_of_a_word_taken_out_is_no_type() -> None:
    found = count_unknown(KNOWN, STEPS, [["the", "<unk>"]])
    assert (found.num_unknown, found.num_types) == (0, 1)


def test_many_types_that_are_there_once_mean_many_that_are_not_there() -> None:
    words = [f"w{number}" for number in range(10)]
    assert count_unknown(KNOWN, STEPS, [words * 3]).num_types == 10
    assert count_unknown(KNOWN, STEPS, [words]).num_types == 10 + 45
    assert count_unknown(KNOWN, STEPS, [[*words, *words[:4]]]).num_types == 10 + 3


def test_the_lookup_of_clients_begins_without_typography_and_ends_with_other_case() -> None:
    assert client_steps(["exact"]) == ["plain", "exact", "lower", "capital"]
    assert client_steps(["plain"]) == ["plain", "lower", "capital"]
    assert client_steps(["exact", "lower", "digits"]) == ["plain", "exact", "lower", "digits", "capital"]
