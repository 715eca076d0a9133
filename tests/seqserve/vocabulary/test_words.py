"""Vocabularies: ids by bisection and by look-up steps, whatever the text holds."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqserve.errors import BundleError
from seqserve.vocabulary.words import (
    FIRST_ID,
    LOOKUP_STEPS,
    PADDING_ID,
    UNKNOWN_ID,
    CharacterVocabulary,
    WordVocabulary,
    candidates,
    write_words,
)

# Every code point but the newline and surrogates may be part of a form.
FORMS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), min_size=1, max_size=8)


def vocabulary(folder: Path, forms: list[str], steps: tuple[str, ...] = LOOKUP_STEPS) -> WordVocabulary:
    write_words(folder / "words.txt", forms)
    return WordVocabulary.read(folder / "words.txt", steps)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(forms=st.lists(FORMS, unique=True, max_size=40), other=st.text(max_size=8))
def test_exactly_the_written_forms_are_found(tmp_path: Path, forms: list[str], other: str) -> None:
    words = vocabulary(tmp_path, forms)
    assert len(words) == len(forms) + FIRST_ID
    assert [words.form_of(number) for number in range(FIRST_ID, len(words))] == sorted(forms, key=str.encode)
    assert all(words.form_of(words.find(form) or 0) == form for form in forms)
    assert (words.find(other) is not None) == (other in forms)
    assert (words.lookup(other) == UNKNOWN_ID) == (not {*candidates(other, LOOKUP_STEPS)} & {*forms})


@pytest.mark.parametrize(
    "form",
    [
        "",
        "\ud800",
        "\0",
        "a\0",
        "\n",
        "a\n",
        "a\nb",
        "\nb",
        "<UNK>",
        "ab",
        "\r",
        "a" * 1_000_000,
        "\u0323\u0301" * 500_000,
    ],
    ids=lambda form: repr(form[:6]),
)
def test_no_form_but_a_listed_one_has_an_id(tmp_path: Path, form: str) -> None:
    words = vocabulary(tmp_path, ["a", "b", "\u1ea5"])
    assert words.find(form) is None
    assert words.lookup(form) == UNKNOWN_ID


@pytest.mark.parametrize("form", ["a\rb", "\x85", "\u2028", "\0", "\x1c", "é", "\U0001f600"], ids=ascii)
def test_only_a_newline_ends_a_line(tmp_path: Path, form: str) -> None:
    words = vocabulary(tmp_path, [form, "z"])
    assert len(words) == 2 + FIRST_ID
    assert words.form_of(words.lookup(form)) == form


def test_no_form_has_the_id_of_padding_or_unknown(tmp_path: Path) -> None:
    words = vocabulary(tmp_path, ["<UNK>", "<PAD>", "a"])
    assert min(words.lookup(form) for form in ("<UNK>", "<PAD>", "a")) == FIRST_ID
    for word_id in (PADDING_ID, UNKNOWN_ID, -1, len(words)):
        with pytest.raises(IndexError, match=f"word id {word_id} has no form"):
            words.form_of(word_id)


@pytest.mark.parametrize(
    ("form", "found"),
    [
        ("Apple", "Apple"),
        ("apple", "apple"),
        ("APPLE", "apple"),
        ("PARIS", "Paris"),
        ("paris", "Paris"),
        ("1984", "0000"),
        ("A1", "a0"),
        ("٣٤", "00"),
        ("cafe\u0301", "caf\u00e9"),
        ("CAFE\u0301", "caf\u00e9"),
    ],
)
def test_steps_are_tried_in_order(tmp_path: Path, form: str, found: str) -> None:
    words = vocabulary(tmp_path, ["Apple", "apple", "Paris", "0000", "a0", "00", "caf\u00e9"])
    assert words.form_of(words.lookup(form)) == found


def test_only_the_named_steps_are_tried(tmp_path: Path) -> None:
    words = vocabulary(tmp_path, ["paris", "Paris"], ("exact",))
    assert words.lookup("PARIS") == UNKNOWN_ID
    assert WordVocabulary.read(tmp_path / "words.txt", ("capital", "lower")).lookup("PARIS") == words.find("Paris")


def test_candidates_are_those_of_the_lookup() -> None:
    assert list(candidates("e\u0301A1", LOOKUP_STEPS)) == ["\u00e9A1", "\u00e9a1", "\u00c9a1", "\u00e9a0"]


@pytest.mark.parametrize(
    ("form", "found"),
    [
        ("N’T", ["N'T", "N’T", "n't", "N't"]),
        ("“", ['"', "“", '"', '"']),
        ("…", ["...", "…", "...", "..."]),
        ("\U0001f600", ["\U0001f600"] * 4),
        ("\u200b", ["\u200b"] * 4),
    ],
    ids=["apostrophe", "quote", "ellipsis", "symbol", "nothing"],
)
def test_the_steps_after_plain_change_the_plain_form(form: str, found: list[str]) -> None:
    assert list(candidates(form, ("plain", "exact", "lower", "capital"))) == found


def test_an_unknown_step_is_refused_when_opened(tmp_path: Path) -> None:
    write_words(tmp_path / "words.txt", ["a"])
    with pytest.raises(
        ValueError, match="look-up step must be one of exact, plain, lower, capital, digits, not 'stem'"
    ):
        WordVocabulary.read(tmp_path / "words.txt", ("exact", "stem"))


@pytest.mark.parametrize(
    ("forms", "reason"), [([""], "empty"), (["a\nb"], "newline"), (["a", "a"], "'a' is given twice")]
)
def test_forms_that_cannot_be_written_are_refused(tmp_path: Path, forms: list[str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        write_words(tmp_path / "words.txt", forms)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a\nb", "the last line has no end"),
        (b"a\n\nb\n", "line 2 is empty"),
        (b"a\n\xff\n", "byte 2 is not UTF-8"),
        (b"b\na\n", "not sorted"),
        (b"a\nc\nb\nd\n", "not sorted"),
    ],
)
def test_a_damaged_list_of_words_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "words.txt").write_bytes(content)
    with pytest.raises(BundleError, match=rf"words\.txt: .*{reason}"):
        WordVocabulary.read(tmp_path / "words.txt")


@pytest.mark.parametrize("kind", [WordVocabulary, CharacterVocabulary])
def test_a_missing_list_is_named(tmp_path: Path, kind: type[WordVocabulary] | type[CharacterVocabulary]) -> None:
    with pytest.raises(BundleError, match=r"gone\.txt: cannot be read: No such file"):
        kind.read(tmp_path / "gone.txt")


def test_an_empty_list_knows_nothing(tmp_path: Path) -> None:
    assert vocabulary(tmp_path, []).lookup("a") == UNKNOWN_ID


def test_characters_come_back_sorted_by_their_bytes(tmp_path: Path) -> None:
    characters = CharacterVocabulary.from_characters("né\u2028\r\0ba\U0001f600a")
    characters.write(tmp_path / "chars.txt")
    again = CharacterVocabulary.read(tmp_path / "chars.txt")
    assert len(again) == len(characters) == 8 + FIRST_ID
    assert again.encode("\0\rabné\u2028\U0001f600", 20) == list(range(FIRST_ID, 10))


@pytest.mark.parametrize(
    ("word", "ids"), [("", [1]), ("ab", [2, 3]), ("xb", [1, 3]), ("\n\ud800", [1, 1]), ("abab", [2, 3, 2])], ids=ascii
)
def test_a_word_has_at_least_one_character_and_no_more_than_asked(word: str, ids: list[int]) -> None:
    assert CharacterVocabulary.from_characters("ab").encode(word, 3) == ids


@pytest.mark.parametrize("characters", [["ab"], ["\n"], [""]])
def test_what_is_no_character_is_refused(characters: list[str]) -> None:
    with pytest.raises(ValueError, match=r"is not one character|is empty or holds a newline"):
        CharacterVocabulary.from_characters(characters)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"ab\n", "line 1 holds 2 characters"),
        (b"a\n\n", "line 2 holds 0"),
        (b"b\na\n", "not sorted"),
        (b"a\na\n", "twice"),
    ],
)
def test_a_damaged_list_of_characters_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "chars.txt").write_bytes(content)
    with pytest.raises(BundleError, match=rf"chars\.txt: .*{reason}"):
        CharacterVocabulary.read(tmp_path / "chars.txt")
