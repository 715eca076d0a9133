"""Texts with labels: every way a file may be written, and what is refused."""

import gzip

import pytest

from seqserve.training.config import ConfigError
from seqserve.training.reading.labelled_text import LabelledFile, LabelledText, read_labelled
from seqserve.training.reading.lines import TextError

LABELS = ("yes", "no")


@pytest.fixture
def write(tmp_path):
    def write_file(content, name="texts.tsv"):
        path = tmp_path / name
        data = content.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write_file


def test_two_columns(write):
    path = write("a text\tyes\nanother\tno\n", "texts.tsv.gz")
    texts = read_labelled(path, LabelledFile(file="x"), LABELS)
    assert texts == [LabelledText("a text", "yes"), LabelledText("another", "no")]


def test_csv_has_a_header_and_may_quote(write):
    path = write('label,text\nyes,"one, two"\nno,three\n')
    texts = read_labelled(path, LabelledFile(file="x", format="csv", text_column=1, label_column=0), LABELS)
    assert texts == [LabelledText("one, two", "yes"), LabelledText("three", "no")]


def test_a_file_of_one_class(write):
    file = LabelledFile(file="x", label="file", file_label="no")
    assert read_labelled(write("one\n\ntwo\n"), file, LABELS) == [LabelledText("one", "no"), LabelledText("two", "no")]


def test_the_final_mark_is_the_label_and_leaves_the_text(write):
    file = LabelledFile(file="x", label="final-mark", map={"?": "yes", ".": "no"})
    texts = read_labelled(write("Is it ?\tou\nIt is.\tou\nStop!\tou\n?\tou\n"), file, LABELS)
    assert texts == [LabelledText("Is it", "yes"), LabelledText("It is", "no")]


def test_distinct_and_parts(write):
    path = write("".join(f"text {number % 40}\tyes\n" for number in range(80)))
    once = read_labelled(path, LabelledFile(file="x", distinct=True), LABELS)
    assert len(once) == 40
    parts = [
        read_labelled(path, LabelledFile(file="x", distinct=True, part=part), LABELS)
        for part in ((0.0, 0.5), (0.5, 1.0))
    ]
    assert sorted(each.text for part in parts for each in part) == sorted(each.text for each in once)
    assert all(parts)


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("a\tmaybe\n", {}, r"texts\.tsv, line 1: the label 'maybe' is none of yes, no; see `map`"),
        ("a\tyes\nb\n", {}, r"texts\.tsv, line 2: has 1 columns, no column 1"),
        ("a\tyes\n", {"text_column": 2}, r"texts\.tsv, line 1: has 2 columns, no column 2"),
    ],
)
def test_errors_name_the_line(write, content, options, message):
    with pytest.raises(TextError, match=message):
        read_labelled(write(content), LabelledFile(file="x", **options), LABELS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": "file"}, 'file_label of x is needed for label = "file"'),
        ({"file_label": "yes"}, 'file_label of x is needed for label = "file"'),
        ({"label_column": -1}, "text_column and label_column of x count from 0"),
        ({"part": (0.5, 0.5)}, r"part = \[0.5, 0.5\] of x must be a range"),
    ],
)
def test_options_that_mean_nothing_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        LabelledFile(file="x", **options)
