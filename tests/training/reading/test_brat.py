"""brat's folders of texts and entities."""

from pathlib import Path

import pytest

from seqserve.training.reading.brat import read_brat
from seqserve.training.reading.lines import TextError

ENTITIES = "T1\tPER 0 3\tAnn\nR1\tlives Arg1:T1 Arg2:T2\nT2\tLOC 8 11;12 16\tNew York\n#1\tAnnotatorNotes T1\tsure?\n"


def written(folder: Path, name: str, entities: str = ENTITIES) -> Path:
    (folder / f"{name}.txt").write_text("Ann saw New York", encoding="utf-8")
    (folder / f"{name}.ann").write_text(entities, encoding="utf-8")
    return folder / f"{name}.ann"


@pytest.mark.parametrize("name", ["a.ann", "a.txt", ""], ids=["entities", "text", "folder"])
def test_a_text_has_its_entities(tmp_path: Path, name: str) -> None:
    file = written(tmp_path, "a")
    (found,) = read_brat(tmp_path / name)
    assert found.text == "Ann saw New York"
    assert [tuple(span) for span in found.spans] == [
        (0, 3, "PER", "Ann", f"{file}, line 1"),
        (8, 16, "LOC", None, f"{file}, line 3"),
    ]


def test_folders_are_read_with_those_below_them(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    files = [written(tmp_path, "b"), written(tmp_path / "more", "a")]
    assert [text.place for text in read_brat(tmp_path)] == [str(file) for file in files]


def test_a_folder_without_entities_is_named(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"there are no \.ann files in it"):
        list(read_brat(tmp_path))


@pytest.mark.parametrize("line", ["T1", "T1\tPER\tAnn", "T1\tPER a b\tAnn", "T1 PER 0 3 Ann"])
def test_a_line_that_is_no_entity_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(TextError, match=r"a\.ann, line 2: must be an identifier, a label with offsets, and text"):
        list(read_brat(written(tmp_path, "a", f"T9\tPER 0 3\tAnn\n{line}\n")))


def test_a_missing_text_is_named(tmp_path: Path) -> None:
    written(tmp_path, "a")
    (tmp_path / "a.txt").unlink()
    with pytest.raises(TextError, match=r"a\.txt: there is no such file"):
        list(read_brat(tmp_path))
