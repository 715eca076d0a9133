"""Lines of files in the encodings and with the ends that they come with."""

import gzip
from pathlib import Path

import pytest

from seqserve.training.reading.lines import TextError, read_lines, read_raw_lines, read_raw_text


def written(folder: Path, data: bytes, name: str = "file.txt") -> Path:
    (folder / name).write_bytes(data)
    return folder / name


@pytest.mark.parametrize("data", [b"a\nb", b"a\r\nb\r\n", b"\xef\xbb\xbfa\nb\n"], ids=["lf", "crlf", "mark"])
def test_lines_are_without_mark_and_end(tmp_path: Path, data: bytes) -> None:
    assert list(read_lines(written(tmp_path, data))) == ["a", "b"]


def test_a_mark_is_taken_off_once_and_at_the_start_only(tmp_path: Path) -> None:
    text = "\ufeff\ufeffa\n\ufeffb\n"
    assert list(read_lines(written(tmp_path, text.encode()))) == ["\ufeffa", "\ufeffb"]


def test_lines_are_composed_and_raw_lines_are_not(tmp_path: Path) -> None:
    path = written(tmp_path, "jose\u0301\n".encode())
    assert list(read_lines(path)) == ["jos\u00e9"]
    assert list(read_raw_lines(path)) == ["jose\u0301"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text",
    ["Ann\tO\nBob\tO\n", "Аннашлавлесиещёпотом\n", "他 说 他 会 来\n好\n", "Łódź żyje"],
    ids=["ascii", "cyrillic", "chinese", "polish"],
)
def test_utf_16_is_named(tmp_path: Path, encoding: str, text: str) -> None:
    with pytest.raises(TextError, match=r"file\.txt: is UTF-16; save it as UTF-8$"):
        list(read_lines(written(tmp_path, text.encode(encoding))))


def test_utf_16_is_named_in_a_packed_file(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"x\.gz: is UTF-16"):
        list(read_lines(written(tmp_path, gzip.compress("a\n".encode("utf-16")), "x.gz")))


def test_cr_as_the_only_end_of_lines_is_named(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"file\.txt: ends its lines with CR alone; save it with LF or CRLF$"):
        list(read_lines(written(tmp_path, b"a\tO\rb\tO\r")))


@pytest.mark.parametrize(
    ("data", "lines"), [(b"a\rb\nc", ["a\rb", "c"]), (b"a\r", ["a"]), (b"", [])], ids=["within", "one line", "empty"]
)
def test_other_crs_are_text(tmp_path: Path, data: bytes, lines: list[str]) -> None:
    assert list(read_lines(written(tmp_path, data))) == lines


def test_a_whole_text_keeps_its_line_ends_and_code_points(tmp_path: Path) -> None:
    assert read_raw_text(written(tmp_path, "\ufeffe\u0301\r\nb\n".encode())) == "e\u0301\r\nb\n"


@pytest.mark.parametrize("read", [read_raw_text, lambda path: list(read_lines(path))], ids=["whole", "lines"])
def test_bytes_that_are_no_utf_8_are_named_with_their_line(tmp_path: Path, read) -> None:
    with pytest.raises(TextError, match=r"file\.txt, line 2: byte 3 is not UTF-8$"):
        read(written(tmp_path, b"a\nab\xe9\n"))
