"""spaCy's DocBin, read from a file that spaCy wrote."""

import zlib
from pathlib import Path

import msgspec
import pytest

from seqserve.training.reading.docbin import read_docbin
from seqserve.training.reading.lines import TextError

TWO = Path(__file__).parents[2] / "fixtures" / "annotations" / "two.spacy"


def test_texts_and_entities_are_those_of_spacy() -> None:
    one, two = read_docbin(TWO)
    assert one.text == "In this case Ann Lee-Park met the DATE team in Paris 😀.\n\nThey can't root for the mark ORG."
    assert [(one.text[span.start : span.end], span.label) for span in one.spans] == [
        ("Ann Lee-Park", "PERSON"),
        ("Paris", "GPE"),
        ("mark ORG", "my-label"),
    ]
    assert (two.text, two.spans) == ("Nobody came.", ())
    assert two.place == f"{TWO}, document 2"


def changed(path: Path, **values: object) -> Path:
    """The fixture with other values."""
    table = msgspec.msgpack.decode(zlib.decompress(TWO.read_bytes())) | values
    path.write_bytes(zlib.compress(msgspec.msgpack.encode(table)))
    return path


def test_a_file_without_entities_is_named(tmp_path: Path) -> None:
    attrs = [65, *range(1000, 1000 + len(msgspec.msgpack.decode(zlib.decompress(TWO.read_bytes()))["attrs"]) - 1)]
    with pytest.raises(TextError, match=r"x\.spacy: its tokens have no entities: DocBin must store ENT_IOB"):
        list(read_docbin(changed(tmp_path / "x.spacy", attrs=attrs)))


def test_a_file_without_its_strings_is_named(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"x\.spacy, document 1: the string of number \d+ is not in the file"):
        list(read_docbin(changed(tmp_path / "x.spacy", strings=[])))


@pytest.mark.parametrize("data", [b"", b"text", zlib.compress(b"text"), TWO.read_bytes()[:-20]])
def test_a_damaged_file_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.spacy").write_bytes(data)
    with pytest.raises(TextError, match=r"x\.spacy: cannot be read as spaCy's DocBin: "):
        list(read_docbin(tmp_path / "x.spacy"))


def test_lengths_that_do_not_match_are_named(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"x\.spacy: cannot be read as spaCy's DocBin: "):
        list(read_docbin(changed(tmp_path / "x.spacy", spaces=b"\1")))
