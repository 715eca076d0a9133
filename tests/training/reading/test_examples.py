"""Files of every format as sentences, and what was understood of them."""

import json
import sys
from pathlib import Path

import pytest

from seqserve.training.reading.conll import Sentence
from seqserve.training.reading.examples import ReadOptions, find_format, read_examples
from seqserve.training.reading.lines import TextError

FIXTURES = Path(__file__).parents[2] / "fixtures" / "annotations"
TAGGED = (("Ann", "Lee", "saw", "Paris", "."), ("B-PER", "I-PER", "O", "B-LOC", "O"))
SPANS = {"text": "Ann Lee saw Paris.", "label": [[0, 7, "PER"], [12, 17, "LOC"]]}
TOKENS = {"tokens": TAGGED[0], "ner_tags": TAGGED[1]}


def written(folder: Path, text: object, name: str = "file") -> Path:
    (folder / name).write_text(text if isinstance(text, str) else f"{json.dumps(text)}\n", encoding="utf-8")
    return folder / name


def test_columns(tmp_path: Path) -> None:
    path = written(tmp_path, "Ann U-PER\nsaw O\n\nParis U-LOC\n")
    found = read_examples(path)
    assert found.sentences == [Sentence(("Ann", "saw"), ("S-PER", "O")), Sentence(("Paris",), ("S-LOC",))]
    assert (found.format, found.scheme) == ("columns", "BILOU")


def test_texts_and_spans_of_json_lines(tmp_path: Path) -> None:
    found = read_examples(written(tmp_path, SPANS))
    assert found.sentences == [Sentence(*TAGGED, is_served=True)]
    assert (found.format, found.scheme) == ("JSON of texts and spans", "spans of characters")


def test_tokens_and_tags_of_json_lines(tmp_path: Path) -> None:
    found = read_examples(written(tmp_path, TOKENS))
    assert found.sentences == [Sentence(*TAGGED)]
    assert (found.format, found.scheme) == ("JSON of tokens and tags", "BIO")


def test_numbers_of_tags_need_names(tmp_path: Path) -> None:
    path = written(tmp_path, {"tokens": ["Ann", "ran"], "ner_tags": [1, 0]})
    with pytest.raises(TextError, match=r"file, line 1: 1 is the number of a tag: give their names, .* tag_names"):
        read_examples(path)
    with pytest.raises(TextError, match=r"file, line 1: 1 is the number of a tag: 1 names are given"):
        read_examples(path, ReadOptions(tag_names=("O",)))
    assert read_examples(path, ReadOptions(tag_names=("O", "B-PER"))).sentences[0].tags == ("B-PER", "O")


def test_a_docbin() -> None:
    found = read_examples(FIXTURES / "two.spacy")
    assert [len(sentence.tokens) for sentence in found.sentences] == [15, 9, 3]
    assert found.format == "spaCy's DocBin"


def test_a_folder_of_brat(tmp_path: Path) -> None:
    written(tmp_path, "Ann Lee saw Paris.", "a.txt")
    written(tmp_path, "T1\tPER 0 7\tAnn Lee\nT2\tLOC 12 17\tParis\n", "a.ann")
    assert read_examples(tmp_path).sentences == [Sentence(*TAGGED, is_served=True)]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("named", ReadOptions()),
        ("numbers", ReadOptions(tag_names=("O", "B-PER", "I-PER", "B-LOC", "I-LOC"))),
        ("spans", ReadOptions()),
    ],
    ids=["named tags", "numbered tags", "spans"],
)
def test_parquet(name: str, options: ReadOptions) -> None:
    pytest.importorskip("pyarrow")
    sentence = read_examples(FIXTURES / f"{name}.parquet", options).sentences[0]
    assert (sentence.tokens, sentence.tags) == TAGGED


def test_parquet_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(TextError, match=r"named\.parquet: reading Parquet needs pyarrow, the extra `parquet`: pip"):
        read_examples(FIXTURES / "named.parquet")


@pytest.mark.parametrize("damage", [slice(20, None), slice(20, 24)], ids=["cut short", "a few bytes"])
def test_a_damaged_parquet_file_is_named(tmp_path: Path, damage: slice) -> None:
    pytest.importorskip("pyarrow")
    data = bytearray((FIXTURES / "named.parquet").read_bytes())
    data[damage] = b"" if damage.stop is None else bytes(4)
    (tmp_path / "x.parquet").write_bytes(data)
    with pytest.raises(TextError, match=r"x\.parquet: cannot be read as Parquet: "):
        read_examples(tmp_path / "x.parquet")


def test_what_annotators_rejected_is_counted(tmp_path: Path) -> None:
    lines = [{**SPANS, "answer": "reject"}, SPANS]
    found = read_examples(written(tmp_path, "\n".join(map(json.dumps, lines))))
    assert (len(found.sentences), found.num_skipped) == (1, 1)


def test_one_record_without_a_key_of_spans_has_none_and_all_of_them_are_a_mistake(tmp_path: Path) -> None:
    bare = {"text": "It rained."}
    found = read_examples(written(tmp_path, f"{json.dumps(bare)}\n{json.dumps(SPANS)}"))
    assert found.sentences[0] == Sentence(("It", "rained", "."), ("O", "O", "O"), is_served=True)
    with pytest.raises(TextError, match=r"file, line 1: has a text, and no record has spans \(spans, entities"):
        read_examples(written(tmp_path, bare))


def test_texts_and_tokens_in_one_file_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"file, line 2: has a text where other records have tokens and tags"):
        read_examples(written(tmp_path, f"{json.dumps(TOKENS)}\n{json.dumps(SPANS)}"))


@pytest.mark.parametrize(
    ("name", "text", "format"),
    [
        ("x.conllu", "{}", "conll"),
        ("x.jsonl", "a O", "json"),
        ("x.spacy", "a O", "docbin"),
        ("x.parquet", "a O", "parquet"),
        ("x.txt", "\n{}", "json"),
        ("x.txt", "[ O", "conll"),
        ("x.data", "PAR1", "parquet"),
        ("x.conll.gz", None, "conll"),
    ],
)
def test_a_name_tells_the_format_or_else_the_beginning(tmp_path: Path, name: str, text: str, format: str) -> None:
    if text is not None:
        written(tmp_path, text, name)
    assert find_format(tmp_path / name) == format
