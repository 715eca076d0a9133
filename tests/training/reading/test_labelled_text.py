"""Texts with labels: every way a file may be written, and what is refused."""

import gzip
from collections import Counter

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


CSV = LabelledFile(file="x", format="csv")


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_quoted_text_of_csv_may_hold_line_ends_tabs_and_quotes(write, end):
    path = write(end.join(["text,label", '"one', "", '""two"",\tthree",yes', "four,no", ""]))
    assert read_labelled(path, CSV, LABELS) == [LabelledText('one\n\n"two",\tthree', "yes"), LabelledText("four", "no")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('text,label\n"a\nb",yes\nc,maybe\n', "line 4: the label 'maybe'"),
        ('text,label\na,yes\n"b,no\nc,no\n', "line 3: is not CSV: unexpected end of data"),
    ],
    ids=["line ends counted", "an open quote"],
)
def test_errors_of_csv_name_the_line_that_the_row_begins_at(write, content, message):
    with pytest.raises(TextError, match=message):
        read_labelled(write(content), CSV, LABELS)


@pytest.mark.parametrize(("format", "gap"), [("tsv", "\n \n"), ("csv", "\n\n")])
def test_blank_lines_hold_no_text(write, format, gap):
    mark = "\t" if format == "tsv" else ","
    head = "text,label\n" * (format == "csv")
    path = write(f"{head}one{mark}yes\n{gap}two{mark}no\n{gap}")
    texts = read_labelled(path, LabelledFile(file="x", format=format), LABELS)
    assert texts == [LabelledText("one", "yes"), LabelledText("two", "no")]


def test_labels_that_the_map_leaves_out_are_counted(write):
    dropped = Counter()
    path = write("a\t1\nb\t2\nc\t2\n")
    texts = read_labelled(path, LabelledFile(file="x", map={"1": "yes"}), LABELS, dropped=dropped)
    assert texts == [LabelledText("a", "yes")]
    assert dropped == {"2": 2}


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
