"""Word vectors from every kind of source, and errors that name the file and the line."""

import gzip
import json
import lzma
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from seqserve.training.reading.lines import TextError
from seqserve.training.reading.vectors import hash_of_string, load_vectors

GLOVE = "the 0.5 -1 2e-1\n. . . 1 2 3\nnaïve 0 0 1\n"


def test_glove_text(tmp_path: Path) -> None:
    (tmp_path / "glove.txt").write_text(GLOVE, encoding="utf-8")
    found = load_vectors(tmp_path / "glove.txt")
    assert found.words == ["the", ". . .", "naïve"]
    assert found.rows.tolist() == [0, 1, 2]
    assert found.vectors.dtype == np.float32
    assert found.vectors.shape[1] == 3
    np.testing.assert_array_equal(found.vectors, np.array([[0.5, -1, 0.2], [1, 2, 3], [0, 0, 1]], np.float32))


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress)], ids=["gz", "xz"])
def test_packed_text(tmp_path: Path, suffix: str, pack) -> None:
    (tmp_path / f"g.txt{suffix}").write_bytes(pack(GLOVE.encode()))
    assert load_vectors(str(tmp_path / f"g.txt{suffix}")).words == ["the", ". . .", "naïve"]


def test_word2vec_text_has_a_header_and_spaces_at_line_ends(tmp_path: Path) -> None:
    (tmp_path / "w2v.txt").write_text("2 3\nthe 1 2 3 \nof 4 5 6 \n")
    found = load_vectors(tmp_path / "w2v.txt")
    assert found.words == ["the", "of"]
    assert found.vectors[1].tolist() == [4, 5, 6]


def test_the_first_of_two_equal_words_counts(tmp_path: Path) -> None:
    (tmp_path / "g.txt").write_text("a 1 2\nb 3 4\na 5 6\n")
    found = load_vectors(tmp_path / "g.txt")
    assert found.words == ["a", "b"]
    assert found.vectors.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("word", ["\t", " ", "", "\xa0"], ids=["tab", "space", "nothing", "no-break space"])
def test_a_word_of_white_space_is_left_out_and_counted(tmp_path: Path, word: str) -> None:
    (tmp_path / "g.txt").write_text(f"3 2\na 1 2\n{word} 3 4\nb 5 6\n", encoding="utf-8")
    assert load_vectors(tmp_path / "g.txt").words == ["a", "b"]


def test_a_word_that_is_there_twice_is_counted_twice(tmp_path: Path) -> None:
    (tmp_path / "g.txt").write_text("3 2\na 1 2\na 3 4\nb 5 6\n")
    assert load_vectors(tmp_path / "g.txt").words == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a 1 2\nb 3\n", "line 2: must hold a word and 2 numbers"),
        ("a 1 2\nb 3 x\n", "line 2: must hold 2 numbers"),
        ("a 1 2\nb 3 4\nc nan 4\n", "the vector of 'c' holds a number that is not finite"),
        ("a 1 2\n\nb\n", "line 3: must hold a word and 2 numbers"),
        ("alone\n", "line 1: must hold a word and 1 numbers"),
        ("a\t1 2\n", "line 1: must hold a word and 1 numbers, separated by spaces"),
        ("", "there are no vectors in it"),
        ("1 2\na 1 2\nb 1 2\n", "line 1: announces 1 words, but 2 follow"),
        ("5 2\na 1 2\n", "line 1: announces 5 words, but 1 follow: the file is cut short"),
        ("2 2\na 1 2 3\nb 1 2 3\n", "line 2: must hold a word and 2 numbers, as the first line announces"),
        ("2 3\na 1 2\nb 1 2\n", "line 2: must hold a word and 3 numbers, as the first line announces"),
        ("2 0\na 1 2\nb 1 2\n", "line 1: announces vectors of 0 numbers"),
        ("a 1 2\nb 1 -2.5e-3 3\n", "line 2: must hold a word and 2 numbers, separated by spaces"),
    ],
    ids=[
        "short line",
        "no number",
        "nan",
        "no numbers",
        "only words",
        "tabs",
        "empty",
        "too many",
        "cut short",
        "announced narrower",
        "announced wider",
        "announced without numbers",
        "long line",
    ],
)
def test_errors_of_text_files_name_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "g.txt").write_text(text)
    with pytest.raises(TextError, match=rf"g\.txt(, |: ){message}"):
        load_vectors(tmp_path / "g.txt")


def test_wrong_encodings_and_damaged_archives_are_named(tmp_path: Path) -> None:
    (tmp_path / "g.txt").write_bytes(b"a 1\n\xff 2\n")
    with pytest.raises(TextError, match=r"g\.txt, line 2: byte \d+ is not UTF-8"):
        load_vectors(tmp_path / "g.txt")
    (tmp_path / "g.gz").write_bytes(gzip.compress(GLOVE.encode())[:20])
    with pytest.raises(TextError, match=r"g\.gz: cannot be read"):
        load_vectors(tmp_path / "g.gz")
    with pytest.raises(TextError, match="there is no such file or folder"):
        load_vectors(tmp_path / "absent")


def folder_of_vectors(folder: Path, words: str = "The\t1\nthe\t1\nof\t0\n") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "vectors.f16.npy", np.array([[1, 2], [3, 4]], np.float16))
    (folder / "words.tsv.xz").write_bytes(lzma.compress(words.encode()))
    return folder


def test_a_folder_of_shared_rows(tmp_path: Path) -> None:
    found = load_vectors(folder_of_vectors(tmp_path))
    assert found.words == ["The", "the", "of"]
    assert found.rows.tolist() == [1, 1, 0]
    assert found.vectors.dtype == np.float16


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("a\t0\nb\t2\n", "line 2: must be a word, a tab and a row below 2"),
        ("a 0\n", "line 1: must be"),
        ("a\t-1\n", "line 1: must be"),
        ("a\t0\na\t1\n", "line 2: 'a' occurs twice"),
    ],
    ids=["row too large", "no tab", "negative", "twice"],
)
def test_errors_of_folders_name_file_and_line(tmp_path: Path, words: str, message: str) -> None:
    with pytest.raises(TextError, match=rf"words\.tsv\.xz, {message}"):
        load_vectors(folder_of_vectors(tmp_path, words))


def test_a_folder_that_holds_no_vectors_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"one vectors\*\.npy and one words\.tsv .* 0 and 0 are there"):
        load_vectors(tmp_path)


def test_arrays_of_objects_are_refused(tmp_path: Path) -> None:
    folder_of_vectors(tmp_path)
    np.save(tmp_path / "vectors.f16.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
    with pytest.raises(TextError, match=r"vectors\.f16\.npy: cannot be read"):
        load_vectors(tmp_path)


@pytest.mark.parametrize(
    ("string", "key"),
    [("coffee", 3197928453018144401), ("apple", 8566208034543834098)],
)
def test_keys_are_those_in_spacys_documentation(string: str, key: int) -> None:
    assert hash_of_string(string) == key


def spacy_pipeline(folder: Path) -> Path:
    vocab = folder / "vocab"
    vocab.mkdir(parents=True)
    with (vocab / "vectors").open("wb") as file:
        np.save(file, np.array([[1, 2], [3, 4]], np.float32))
    (vocab / "strings.json").write_text(json.dumps(["coffee", "apple", "unused"]))
    keys = {3197928453018144401: 1, 8566208034543834098: 0}
    (vocab / "key2row").write_bytes(msgspec.msgpack.encode(keys))
    return folder


def test_a_spacy_pipeline_is_read_without_spacy(tmp_path: Path) -> None:
    found = load_vectors(spacy_pipeline(tmp_path))
    assert (found.words, found.rows.tolist()) == (["coffee", "apple"], [1, 0])
    assert "spacy" not in sys.modules


def package(site: Path, name: str, *, distribution: str) -> Path:
    root = site / name
    root.mkdir(parents=True)
    (root / "__init__.py").write_text("raise RuntimeError('a package of vectors must not be run')\n")
    info = site / f"{distribution}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "top_level.txt").write_text(f"{name}\n")
    (info / "RECORD").write_text(f"{name}/__init__.py,,\n")
    return root


@pytest.mark.parametrize("name", ["toy_vectors_md", "toy-vectors-dist"], ids=["import name", "distribution"])
def test_an_installed_package_is_found_and_not_run(tmp_path: Path, monkeypatch, name: str) -> None:
    spacy_pipeline(package(tmp_path, "toy_vectors_md", distribution="toy-vectors-dist") / "toy-1.0")
    monkeypatch.syspath_prepend(tmp_path)
    assert load_vectors(f"package:{name}").words == ["coffee", "apple"]


def test_a_path_inside_a_package_chooses_one_of_several(tmp_path: Path, monkeypatch) -> None:
    root = package(tmp_path, "toy_vectors_two", distribution="toy-two")
    folder_of_vectors(root / "small")
    (root / "glove.3d.txt").write_text(GLOVE)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(TextError, match=r"has: glove\.3d\.txt, small; choose one as package:toy_vectors_two/PATH"):
        load_vectors("package:toy_vectors_two")
    assert load_vectors("package:toy_vectors_two/small").words == ["The", "the", "of"]
    assert load_vectors("package:toy_vectors_two/glove.3d.txt").vectors.shape[1] == 3
    for outside in ("absent.txt", "../toy_two"):
        with pytest.raises(TextError, match="the package has no file or folder"):
            load_vectors(f"package:toy_vectors_two/{outside}")


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(TextError, match="no Python package 'no_such_vectors' is installed"):
        load_vectors("package:no_such_vectors")


def test_words_are_composed_and_a_composed_one_comes_before(tmp_path: Path) -> None:
    path = tmp_path / "vectors.txt"
    path.write_text("jose\u0301 1 2\n\u2126 3 4\n\u03a9 5 6\n", encoding="utf-8")
    found = load_vectors(path)
    assert found.words == ["jos\u00e9", "\u03a9"]
    assert found.vectors[found.rows].tolist() == [[1, 2], [5, 6]]
