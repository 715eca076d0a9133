import gzip
import lzma

import pytest

from seqserve.training.reading.lines import TextError, read_lines
from seqserve.training.reading.text import TextFile, TextOptions, read_sequences


@pytest.mark.parametrize(("name", "pack"), [("a.txt", bytes), ("a.txt.gz", gzip.compress), ("a.txt.xz", lzma.compress)])
def test_lines_of_plain_and_packed_files(tmp_path, name, pack):
    path = tmp_path / name
    path.write_bytes(pack("één\u2028zwei\r\n\nlast".encode()))
    assert list(read_lines(path)) == ["één\u2028zwei", "", "last"]


def test_a_wrong_byte_names_file_and_line(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"good\nb\xffd\n")
    with pytest.raises(TextError, match=r"a\.txt, line 2: byte 2 is not UTF-8"):
        list(read_lines(path))


def test_a_truncated_archive_is_an_error_and_not_a_short_corpus(tmp_path):
    path = tmp_path / "a.txt.xz"
    path.write_bytes(lzma.compress(b"line\n" * 1000)[:-20])
    with pytest.raises(TextError, match="cannot be read"):
        list(read_lines(path))


def sequences(tmp_path, content, file=None, **options):
    path = tmp_path / "text.txt"
    path.write_text(content, encoding="utf-8")
    return list(read_sequences(path, TextFile(file=str(path), **(file or {})), TextOptions(**options)))


def test_sentences_of_a_paragraph(tmp_path):
    found = sequences(
        tmp_path, 'He left. "Why?" she asked.\n\nNobody knew.\n', tokenization="seqserve-en-1", unit="sentence"
    )
    assert found[0] == ["He", "left", "."]
    assert found[-1] == ["Nobody", "knew", "."]
    assert [token for tokens in found for token in tokens].count("?") == 1


def test_a_long_sentence_is_cut_and_nothing_is_lost(tmp_path):
    found = sequences(
        tmp_path, " ".join("abcdefghij" * 3) + "\n", tokenization="seqserve-en-1", unit="sentence", max_unit_tokens=8
    )
    assert max(map(len, found)) <= 8
    assert "".join(token for tokens in found for token in tokens) == "abcdefghij" * 3


def test_books_that_are_left_out(tmp_path):
    (tmp_path / "out.txt").write_text("two\n")
    content = "# book: one\nA b\n\nC d\n# book: two\nE f\n# book: three\nG h\n"
    file = {"format": "books", "skip_books": str(tmp_path / "out.txt")}
    assert sequences(tmp_path, content, file, unit="line") == [["A", "b"], ["C", "d"], ["G", "h"]]


def test_wikitext_without_headings_and_with_its_joins(tmp_path):
    content = " = Title = \n \n A role @-@ playing <unk> of 1 @,@ 000 and 2 @.@ 5 . \n"
    found = sequences(tmp_path, content, {"format": "wikitext"}, tokenization="seqserve-en-1")
    assert found == [["A", "role", "-", "playing", "<unk>", "of", "1,000", "and", "2.5", "."]]


def test_a_column_of_a_table(tmp_path):
    assert sequences(tmp_path, "Go.\tVa !\n", {"format": "tsv", "column": 1}, unit="line") == [["Va", "!"]]
    with pytest.raises(TextError, match="line 1: has 1 columns, no column 1"):
        sequences(tmp_path, "Go.\n", {"format": "tsv", "column": 1}, unit="line")


def test_a_stream_of_lines_keeps_empty_ones(tmp_path):
    assert sequences(tmp_path, "a b\n\nc\n", unit="stream") == [["a", "b"], [], ["c"]]


def test_parts_of_lines_are_disjoint_whole_and_blind_to_repeats(tmp_path):
    content = "".join(f"line{number % 50}\n" for number in range(200))
    parts = [
        sequences(tmp_path, content, {"part": part, "distinct": True}, unit="line") for part in ((0.0, 0.6), (0.6, 1.0))
    ]
    first, second = ({tokens[0] for tokens in part} for part in parts)
    assert len(parts[0]) == len(first) > 10
    assert first | second == {f"line{number}" for number in range(50)}
    assert not first & second


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_running_text_comes_in_pieces_and_an_empty_one_not_at_all(tmp_path, monkeypatch, size):
    monkeypatch.setattr("seqserve.training.reading.text._CHARACTERS_A_PIECE", size)
    options = {"level": "character", "tokenization": "characters", "unit": "stream", "ends_sentences": False}
    pieces = sequences(tmp_path, "ab\n\ncdé", **options)
    assert "".join(c for tokens in pieces for c in tokens) == "ab\n\ncdé\n"
    assert all(pieces)
    assert sequences(tmp_path, "", **options) == []


def test_parts_of_a_running_text_are_ranges_in_order(tmp_path):
    content = "0123456789" * 4 + "\n"
    options = {"level": "character", "tokenization": "characters", "unit": "stream", "ends_sentences": False}
    pieces = [sequences(tmp_path, content, {"part": part}, **options) for part in ((0.0, 0.5), (0.5, 1.0))]
    assert "".join(c for piece in pieces for tokens in piece for c in tokens) == content
    assert abs(sum(map(len, pieces[0])) - sum(map(len, pieces[1]))) <= 1


CHARACTERS = {"level": "character", "tokenization": "characters"}


def test_books_as_one_running_text_of_characters(tmp_path):
    content = "# book: one\nAb\n\nC\n# book: two\nD\n"
    options = CHARACTERS | {"unit": "stream", "ends_sentences": False}
    (found,) = sequences(tmp_path, content, {"format": "books"}, **options)
    assert "".join(found) == "Ab\nC\nD\n"
    (half,) = sequences(tmp_path, content, {"format": "books", "part": (0.0, 0.5)}, **options)
    assert "".join(half) == "Ab\nC"[:4]


def test_a_prefix_stands_before_every_line(tmp_path):
    found = sequences(tmp_path, "rex\nada\n", {"prefix": "dino:"}, unit="line", **CHARACTERS)
    assert ["".join(tokens) for tokens in found] == ["dino:rex", "dino:ada"]


def test_tunes_begin_with_metre_and_key(tmp_path):
    content = (
        "X: 1\nT:A and D\n% a remark\nS:EF\nM:4/4\nK:A\nM:6/8\nP:A\nf|ecc|\n ace|| \nK:D\nfdd|\n\n"
        "X: 2\nT:no music\nM:4/4\nK:G\nX: 3\nT:no key\nM:4/4\nabc|\nX: 4\nK:G\nM:3/4\ngab|\n"
    )
    found = sequences(tmp_path, content, {"format": "abc"}, unit="line", **CHARACTERS)
    assert ["".join(tokens) for tokens in found] == ["M:6/8\nK:A\nf|ecc|\n ace||\nK:D\nfdd|", "M:3/4\nK:G\ngab|"]
