"""Lines in, an answer for each out, in order: what is blank, what cannot be answered, and input that pauses."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seqserve.commands.lines import InputError, add_file_flags, answer_lines
from seqserve.errors import RequestError, UsageError, invalid, too_long

ROOT = Path(__file__).resolve().parents[3]

ECHO = """
import argparse, sys
from seqserve.commands.lines import add_file_flags, answer_lines
parser = argparse.ArgumentParser()
add_file_flags(parser, "lines")
sys.exit(answer_lines(parser.parse_args(), str, lambda rows: [f"{len(rows)} {row}\\n".encode() for row in rows]))
"""

Answer = Callable[..., tuple[int, bytes]]


def read(text: str) -> str:
    if len(text) > 9:
        raise too_long("This text has more than 9 characters.", "text")
    if text == "odd":
        raise invalid("It is odd.", "candidates", 0)
    return text


@pytest.fixture
def answer(tmp_path: Path) -> Answer:
    """Answer bytes with the lines in capitals and return the exit status and what was written."""

    def over(data: bytes, *flags: str, **options: object) -> tuple[int, bytes]:
        (tmp_path / "in").write_bytes(data)
        parser = argparse.ArgumentParser()
        add_file_flags(parser, "lines")
        given = parser.parse_args([str(tmp_path / "in"), "--output", str(tmp_path / "out"), *flags])
        try:
            status = answer_lines(given, read, lambda rows: [f"{row.upper()}\n".encode() for row in rows], **options)  # type: ignore[arg-type]
        finally:
            written = (tmp_path / "out").read_bytes()
        return status, written

    return over


def test_each_line_has_its_answer(answer: Answer) -> None:
    assert answer(b"a\nb\r\nc") == (0, b"A\nB\nC\n")


def test_many_lines_come_out_in_order(answer: Answer) -> None:
    lines = [f"{number}" for number in range(5000)]
    assert answer("\n".join(lines).encode()) == (0, "".join(f"{line}\n" for line in lines).encode())


def test_nothing_is_answered_with_nothing(answer: Answer) -> None:
    assert answer(b"") == (0, b"")


def test_only_newlines_end_a_line(answer: Answer) -> None:
    assert answer("a\u2028b\x85c\x0b\x0cd\n".encode()) == (0, "A\u2028B\x85C\x0b\x0cD\n".encode())


def test_a_mark_of_utf_8_at_the_start_is_no_text(answer: Answer) -> None:
    assert answer("\ufeffa\n\ufeffb\n".encode()) == (0, "A\n\ufeffB\n".encode())


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ("a\nb\n".encode("utf-16"), "is UTF-16; save it as UTF-8"),
        ("ab\nc\n".encode("utf-16-le"), "is UTF-16; save it as UTF-8"),
        ("ab\nc\n".encode("utf-16-be"), "is UTF-16; save it as UTF-8"),
        (b"a\rb\r", "ends its lines with CR alone; save it with LF or CRLF"),
    ],
    ids=["utf-16", "little endian", "big endian", "cr"],
)
def test_a_file_of_another_encoding_or_line_end_is_named(
    answer: Answer, tmp_path: Path, data: bytes, fault: str
) -> None:
    with pytest.raises(InputError) as caught:
        answer(data)
    assert str(caught.value) == f"{tmp_path / 'in'}: {fault}."


@pytest.mark.parametrize("data", [b"a\rb\n", b"a\r", b"a\x00b\n"], ids=["cr within a line", "one line", "zero"])
def test_a_cr_or_a_zero_within_a_text_is_white_space_or_text(answer: Answer, data: bytes) -> None:
    assert answer(data) == (0, data.rstrip(b"\r\n").upper() + b"\n")


def test_a_blank_line_is_answered_with_an_empty_one(answer: Answer) -> None:
    assert answer(b"a\n\n \t\r\nb\n") == (0, b"A\n\n\nB\n")


def test_a_blank_line_may_be_a_text_like_any_other(answer: Answer) -> None:
    assert answer(b"a\n\n b\n", blank=None) == (0, b"A\n\n B\n")


def test_a_line_without_an_answer_does_not_lose_the_others(answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [b"fine"] * 300
    lines[4], lines[290], lines[299] = b"much too long", b"not \xff", b"odd"
    status, written = answer(b"\n".join(lines))
    assert status == 1
    found = written.decode().splitlines()
    assert len(found) == 300
    assert json.loads(found[4]) == {"error": "This text has more than 9 characters."}
    assert json.loads(found[290]) == {"error": "Byte 5 is not UTF-8."}
    assert json.loads(found[299]) == {"error": "/candidates/0: It is odd."}
    assert {line for number, line in enumerate(found) if number not in (4, 290, 299)} == {"FINE"}
    assert capsys.readouterr().err == "seqserve: 3 of 300 lines were not answered, the first of them line 5.\n"


def test_an_answer_may_fail_after_its_line_was_read(answer: Answer, tmp_path: Path) -> None:
    def rows_to_answers(rows: list[str]) -> Iterator[bytes | RequestError]:
        for row in rows:
            yield invalid("It is not finite.", "text") if row == "b" else row.encode() + b"\n"

    (tmp_path / "in").write_bytes(b"a\nb\nc\n")
    given = argparse.Namespace(file=str(tmp_path / "in"), output=str(tmp_path / "out"), strict=False)
    assert answer_lines(given, str, rows_to_answers) == 1
    assert (tmp_path / "out").read_bytes() == b'a\n{"error":"It is not finite."}\nc\n'


@pytest.mark.parametrize(
    ("bad", "reason"), [(b"much too long", "This text has more than 9 characters."), (b"\xff", "Byte 1 is not UTF-8.")]
)
def test_strict_stops_at_the_first_such_line(answer: Answer, tmp_path: Path, bad: bytes, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        answer(b"a\n\nb\n" + bad + b"\nc\n", "--strict")
    assert str(caught.value) == f"{tmp_path / 'in'}, line 4: {reason}"
    assert (tmp_path / "out").read_bytes() == b"A\n\nB\n"


@pytest.mark.parametrize("name", ["file", "output"])
def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, name: str) -> None:
    paths = {"file": str(tmp_path / "in"), "output": str(tmp_path / "out"), name: str(tmp_path / "none" / "x")}
    (tmp_path / "in").touch()
    with pytest.raises(InputError, match=r"none/x: No such file or directory\."):
        answer_lines(argparse.Namespace(**paths, strict=False), str, lambda rows: [])


@pytest.mark.parametrize("link", ["same", "hard", "symbolic", "standard input"])
def test_the_input_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link: str) -> None:
    source, output = tmp_path / "in", tmp_path / "out"
    source.write_bytes(b"a\n")
    if link == "symbolic":
        output.symlink_to(source)
    elif link == "hard":
        output.hardlink_to(source)
    else:
        output = source
    with source.open("rb") as opened:
        monkeypatch.setattr(sys, "stdin", argparse.Namespace(buffer=opened))
        name = "-" if link == "standard input" else str(source)
        given = argparse.Namespace(file=name, output=str(output), strict=False)
        with pytest.raises(UsageError) as caught:
            answer_lines(given, str, lambda rows: [])
    assert str(caught.value) == f"--output {output} is the input file: it would be emptied before it is read."
    assert source.read_bytes() == b"a\n"


def test_long_lines_are_not_taken_together(tmp_path: Path) -> None:
    sizes: list[int] = []

    def answer(rows: list[str]) -> list[bytes]:
        sizes.append(len(rows))
        return [b"\n"] * len(rows)

    (tmp_path / "in").write_text("\n".join(["the " * 50_000] * 5 + ["the"] * 300), "utf-8")
    given = argparse.Namespace(file=str(tmp_path / "in"), output=str(tmp_path / "out"), strict=False)
    assert answer_lines(given, str, answer) == 0
    assert max(sizes[:2]) == 2
    assert sum(sizes) == 305


@pytest.fixture
def echo() -> Iterator[subprocess.Popen[bytes]]:
    """A process that answers the lines of its standard input, each with the size of its group."""
    with subprocess.Popen(
        [sys.executable, "-c", ECHO, "-"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        yield process
        process.kill()


def test_a_pipe_is_answered_when_it_pauses(echo: subprocess.Popen[bytes]) -> None:
    assert echo.stdin is not None
    assert echo.stdout is not None
    echo.stdin.write(b"one\ntwo\nhalf")
    lines = os.read(echo.stdout.fileno(), 1000)  # the pipe is open: without the pause nothing would come
    assert b"one" in lines
    echo.stdin.write(b" more\n")
    while lines.count(b"\n") < 3:
        lines += os.read(echo.stdout.fileno(), 1000)
    assert [line.split(b" ", 1)[1] for line in lines.splitlines()] == [b"one", b"two", b"half more"]
    echo.stdin.close()
    assert echo.wait(60) == 0


def test_what_has_come_through_a_pipe_is_answered_together(echo: subprocess.Popen[bytes]) -> None:
    out, _ = echo.communicate(b"line\n" * 600, timeout=60)
    assert sum(1 for _ in out.splitlines()) == 600
    assert max(int(line.split()[0]) for line in out.splitlines()) == 256
