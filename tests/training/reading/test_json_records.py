"""JSON lines, and JSON files with one list."""

from pathlib import Path

import pytest

from seqserve.training.reading.json_records import is_json, read_json_records
from seqserve.training.reading.lines import TextError


def records(folder: Path, text: str) -> list[tuple[object, str]]:
    """The records and their places, without the folder."""
    (folder / "f.json").write_text(text, encoding="utf-8")
    return [(record, place.removeprefix(f"{folder}/")) for record, place in read_json_records(folder / "f.json")]


def test_lines_have_their_numbers_and_blank_ones_count(tmp_path: Path) -> None:
    found = records(tmp_path, '\ufeff{"text": "a"}\r\n\n["b", {"entities": []}]\n')
    assert found == [({"text": "a"}, "f.json, line 1"), (["b", {"entities": []}], "f.json, line 3")]


@pytest.mark.parametrize(
    "text",
    [
        '[{"text": "a"}, {"text": "b"}]',
        '[\n  {"text": "a"},\n  {"text": "b"}\n]\n',
        '{"classes": ["X"], "annotations": [{"text": "a"}, null, {"text": "b"}]}',
    ],
    ids=["one line", "several lines", "within an object"],
)
def test_a_list_has_items(tmp_path: Path, text: str) -> None:
    assert [record for record, _ in records(tmp_path, text)] == [{"text": "a"}, {"text": "b"}]
    assert records(tmp_path, text)[0][1] == "f.json, item 1"


@pytest.mark.parametrize(
    "record",
    ['{"data": {"text": "a"}, "annotations": [{"result": []}]}', '["a", {"entities": []}]'],
    ids=["a task of Label Studio", "a pair of spaCy"],
)
def test_one_line_may_be_one_record(tmp_path: Path, record: str) -> None:
    assert [place for _, place in records(tmp_path, record)] == ["f.json, line 1"]


def test_an_empty_file_has_none(tmp_path: Path) -> None:
    assert records(tmp_path, "\n") == []


@pytest.mark.parametrize(("text", "line"), [('{"a": 1}\n{"a"\n', 2), ('{\n "a": 1,\n]\n', 3), ('{"a"\n{}\n', 2)])
def test_what_is_no_json_is_named_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(TextError, match=rf"f\.json, line {line}: is not JSON: "):
        records(tmp_path, text)


@pytest.mark.parametrize("line", ['{"text": "a"}', "[", '[{"text":', '{"text": "a", ', "{"])
def test_what_begins_json(line: str) -> None:
    assert is_json(line)


@pytest.mark.parametrize("line", ["[ O", "{\tO", "1 O", '"quoted" O', '["\tO', ""])
def test_what_does_not(line: str) -> None:
    assert not is_json(line)
