"""Minimal pairs: both file formats, strict preference, ties, unknown words."""

import json
import lzma
from pathlib import Path

import pytest

from seqserve.errors import SeqserveError
from seqserve.training.language.minimal_pairs import Judged, Pair, PairCounts, count_pairs, overall, read_pairs


def test_json_lines_give_the_paradigm_by_uid_or_construction(tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl.xz"
    rows = [
        {"sentence_good": "a", "sentence_bad": "b", "UID": "one", "pairID": "0"},
        {"sentence_good": "c", "sentence_bad": "d", "construction": "two", "case": "x"},
        {"sentence_good": "e", "sentence_bad": "f"},
    ]
    path.write_bytes(lzma.compress("\n".join(map(json.dumps, rows)).encode()))
    assert read_pairs(path) == [Pair("a", "b", "one"), Pair("c", "d", "two"), Pair("e", "f", "some")]


def test_columns_give_the_paradigm_or_the_files_name_does(tmp_path: Path) -> None:
    path = tmp_path / "number.tsv"
    path.write_text("the cats are\tthe cats is\n\na b\tb a\torder\n")
    assert read_pairs(path) == [Pair("the cats are", "the cats is", "number"), Pair("a b", "b a", "order")]


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("a.tsv", "one column", "line 1: has 1 columns"),
        ("a.jsonl", "[1]", "line 1: no JSON object"),
        ("a.jsonl", '{"sentence_good": "x"}', "line 1: has no sentence_good and sentence_bad"),
        ("a.jsonl", "{", "line 1: Expecting property name"),
        ("a.tsv", "", "there are no pairs"),
        ("a.tsv", "\tb", "line 1: the good sentence is empty"),
        ("a.tsv", "a\t ", "line 1: the bad sentence is empty"),
    ],
    ids=["columns", "list", "fields", "malformed", "empty", "no-good", "no-bad"],
)
def test_a_bad_file_is_named_with_its_line(name: str, line: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(line + "\n")
    with pytest.raises(SeqserveError, match=f"{name}.*{message}"):
        read_pairs(tmp_path / name)


def test_a_tie_is_wrong_and_counted() -> None:
    judged = {
        "likely": Judged(-1.0, 2, 0),
        "also likely": Judged(-1.0, 2, 0),
        "unlikely": Judged(-1.0 - 1e-12, 2, 1),
    }
    pairs = [
        Pair("likely", "unlikely", "p"),
        Pair("likely", "also likely", "p"),
        Pair("unlikely", "likely", "q"),
    ]
    counts = count_pairs(pairs, judged)
    assert counts == {"p": PairCounts(2, 1, 1, 1), "q": PairCounts(1, 0, 0, 1)}
    assert overall(counts) == PairCounts(3, 1, 1, 2)
    assert overall(counts).accuracy == 1 / 3
    assert overall(counts).unknown_share == 2 / 3
