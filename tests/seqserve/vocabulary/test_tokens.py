"""Tokens of a language model: ids in the order of the file, and nothing that text can spell is special."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqserve.errors import BundleError
from seqserve.vocabulary.tokens import EOS_ID, FIRST_ID, RESERVED_FORMS, START_ID, UNKNOWN_ID, TokenVocabulary

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
tokens = texts.filter(lambda form: form not in RESERVED_FORMS)


def test_ids_follow_the_order_of_the_file_from_two() -> None:
    vocabulary = TokenVocabulary(["the", "cat", "."])
    assert [vocabulary.lookup(form) for form in ("the", "cat", ".", "dog")] == [2, 3, 4, UNKNOWN_ID]
    assert [vocabulary.form_of(number) for number in range(5)] == ["<EOS>", "<UNK>", "the", "cat", "."]
    assert (len(vocabulary), EOS_ID, UNKNOWN_ID, FIRST_ID, START_ID) == (5, 0, 1, 2, -1)


@pytest.mark.parametrize("text", ["<EOS>", "<UNK>", "<unk>", "<eos>", ""])
def test_text_never_spells_a_special_id(text: str) -> None:
    vocabulary = TokenVocabulary(["the", "eos"], steps=("exact", "lower", "capital", "digits"))
    assert vocabulary.lookup(text) == UNKNOWN_ID


def test_steps_are_tried_in_order() -> None:
    vocabulary = TokenVocabulary(["apple", "Paris", "0000"], steps=("exact", "lower", "capital", "digits"))
    assert [vocabulary.lookup(form) for form in ("APPLE", "paris", "1984", "19")] == [2, 3, 4, UNKNOWN_ID]
    assert TokenVocabulary(["apple"]).lookup("Apple") == UNKNOWN_ID


def test_steps_of_one_lookup_take_the_place_of_the_vocabularys() -> None:
    vocabulary = TokenVocabulary(["'s", "’s", "Paris"])
    assert [vocabulary.lookup(form) for form in ("’s", "PARIS")] == [3, UNKNOWN_ID]
    assert [vocabulary.lookup(form, ("plain", "capital")) for form in ("’s", "PARIS")] == [2, 4]


def test_a_form_is_found_as_it_is_and_then_as_nfc() -> None:
    vocabulary = TokenVocabulary(["é", "e\u0301x"])
    assert [vocabulary.lookup(form) for form in ("é", "e\u0301", "e\u0301x")] == [2, 2, 3]


@pytest.mark.parametrize("form", ["a" * 3_000_000, "e" + "\u0301\u0323" * 500_000, "\ud800"])
def test_absurd_forms_are_unknown(form: str) -> None:
    assert TokenVocabulary(["a", "é"], steps=("exact", "lower")).lookup(form) == UNKNOWN_ID


@given(st.lists(tokens, unique=True, max_size=8))
def test_a_written_file_is_read_back(tmp_path_factory: pytest.TempPathFactory, forms: list[str]) -> None:
    path = tmp_path_factory.mktemp("tokens") / "tokens.txt"
    TokenVocabulary(forms).write(path)
    read = TokenVocabulary.read(path)
    assert read.tokens == tuple(forms)
    assert all(read.form_of(number) == form for number, form in enumerate(forms, FIRST_ID))


def test_newline_and_backslash_are_escaped(tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    TokenVocabulary(["\n", "\\", "\\n", "\r", "\u2028", " "]).write(path)
    assert path.read_bytes() == "\\n\n\\\\\n\\\\n\n\r\n\u2028\n \n".encode()
    assert TokenVocabulary.read(path).tokens == ("\n", "\\", "\\n", "\r", "\u2028", " ")


BROKEN = {
    "empty line": (b"a\n\nb\n", "line 2 is empty"),
    "twice": (b"a\nb\na\n", "lines 1 and 3 hold the same token"),
    "not UTF-8": (b"a\nb\xff\n", r"line 2 is not UTF-8 \(byte 3 of the file\)"),
    "no last end": (b"a\nb", "the last line has no end"),
    "reserved": (b"a\n<UNK>\n", "line 2 holds <UNK>, which no token may be"),
    "reserved by corpora": (b"<unk>\n", "line 1 holds <unk>"),
    "escape": (b"a\n\\t\n", "line 2 holds a backslash"),
    "open escape": (b"a\\\n", "line 1 holds a backslash"),
}


@pytest.mark.parametrize(("content", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_by_file_and_line(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "tokens.txt"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=rf"tokens\.txt: {reason}"):
        TokenVocabulary.read(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"none\.txt: cannot be read"):
        TokenVocabulary.read(tmp_path / "none.txt")


@pytest.mark.parametrize("number", [-1, 3])
def test_ids_beyond_the_list_have_no_form(number: int) -> None:
    with pytest.raises(IndexError, match=f"token id {number} has no form: the ids are 0 to 2"):
        TokenVocabulary(["a"]).form_of(number)


def test_an_unknown_step_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="look-up step must be one of"):
        TokenVocabulary(["a"], steps=("upper",))
