"""What the first bytes of a file say about its encoding."""

import pytest

from seqserve.text_files import fault_of_beginning, fault_of_only_line


@pytest.mark.parametrize(
    "text", ["", "a", "\0Ann\0 ran", "\0Ann\0 met \0Bob\0", "a\0", "\t\t\t\t", "é" * 3000, "他说他会来", "\1\2\3\4\5"]
)
def test_utf_8_with_control_characters_is_utf_8(text: str) -> None:
    assert fault_of_beginning(text.encode()) is None


def test_bytes_of_another_encoding_are_not_called_utf_16() -> None:
    assert fault_of_beginning("Café à Ré\n".encode("latin-1")) is None


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16"])
@pytest.mark.parametrize("text", ["ab", "Ann saw Rome.\n" * 900, "Кот 😀\n"])
def test_utf_16_is_known_with_and_without_its_mark(text: str, encoding: str) -> None:
    assert fault_of_beginning(text.encode(encoding)) == "is UTF-16; save it as UTF-8"


@pytest.mark.parametrize("line", [b"", b"a", b"a\r", b"a\r\r", b"a\rb\n", b"a\r\nb"])
def test_lines_may_hold_and_end_with_cr(line: bytes) -> None:
    assert fault_of_only_line(line) is None


def test_cr_alone_parts_no_lines() -> None:
    assert fault_of_only_line(b"a\rb") == "ends its lines with CR alone; save it with LF or CRLF"
