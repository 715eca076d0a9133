"""`seqserve tag`: the same answers as over HTTP, as JSON lines or CoNLL."""

import contextlib
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.service.conftest import BUNDLES

ROOT = Path(__file__).resolve().parents[3]
LINES = [
    'He said, "Teddy Roosevelt was a great President."',
    "",
    "Harry Potter and Hermione Granger came. They left 😀 Te\u0301ddy.",
    "one\u2028line\x85still \x0b\x0c the same",
]
NEEDED = ["--models", str(BUNDLES)]


def tag(*arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "seqserve", "tag", *arguments],
        cwd=ROOT,
        input=data,
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "include",
    [["--include", "tokens,tag_probs"], ["--include", "tokens", "--include", "tag_probs"]],
    ids=["list", "repeated"],
)
def test_json_lines_equal_the_answers_over_http(
    tmp_path: Path, make_app: Callable[..., Flask], end: str, include: list[str]
) -> None:
    (tmp_path / "in").write_bytes((end.join(LINES) + end).encode())
    done = tag(str(tmp_path / "in"), "--output", str(tmp_path / "out"), *include, *NEEDED)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    answered = [json.loads(line) for line in (tmp_path / "out").read_bytes().splitlines()]
    reply = make_app().test_client().post("/v1/tag", json={"text": LINES, "include": ["tokens", "tag_probs"]})
    assert answered == reply.json["results"]


def test_standard_input_and_output(make_app: Callable[..., Flask]) -> None:
    done = tag("-", *NEEDED, data="\n".join(LINES).encode())  # no newline at the end
    reply = make_app().test_client().post("/v1/tag", json={"text": LINES})
    assert [json.loads(line) for line in done.stdout.splitlines()] == reply.json["results"]


def test_names_are_chosen_as_over_http(make_app: Callable[..., Flask]) -> None:
    done = tag("--labels", "PER,LOC", "--min-score", "0.4", "-", *NEEDED, data="\n".join(LINES).encode())
    wanted = {"text": LINES, "labels": ["PER", "LOC"], "min_score": 0.4}
    reply = make_app().test_client().post("/v1/tag", json=wanted)
    assert [json.loads(line) for line in done.stdout.splitlines()] == reply.json["results"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--labels", "PER,XX"], "seqserve: --labels: The model's labels are PER, LOC, ORG."),
        (["--labels", "PER", "--format", "conll"], "are for JSON lines, not for --format conll."),
        (["--min-score", "2"], "argument --min-score: must lie in 0 to 1, not '2'"),
        (
            ["--include", "words"],
            "argument --include: must be a list with commas, of tokens and tag_probs, not 'words'",
        ),
        (["--include", "tokens", "tag_probs"], "unrecognized arguments: "),
    ],
)
def test_a_wrong_flag_is_status_2(flags: list[str], message: str) -> None:
    done = tag(*flags, "-", *NEEDED)
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()


def test_conll() -> None:
    done = tag("-", "--format", "conll", *NEEDED, data=b"Teddy Roosevelt was a great President.\n\nHe came.\n")
    blocks = done.stdout.decode().split("\n\n")
    assert blocks[0].split("\n") == [
        "Teddy\tB-PER",
        "Roosevelt\tI-PER",
        "was\tO",
        "a\tO",
        "great\tO",
        "President\tO",
        ".\tO",
    ]
    assert done.stdout.decode().count("\n\n") == 3 - 1  # an empty line stands alone
    assert done.stdout.decode().endswith("came\tO\n.\tO\n\n")


def test_many_lines_come_out_in_order(make_app: Callable[..., Flask]) -> None:
    lines = [LINES[number % 3] + " x" * (number % 11) for number in range(700)]
    done = tag("-", *NEEDED, data="\n".join(lines).encode())
    reply = make_app().test_client().post("/v1/tag", json={"text": lines})
    assert [json.loads(line) for line in done.stdout.splitlines()] == reply.json["results"]


def test_progress_is_shown_on_a_terminal_only(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("Teddy Roosevelt came.\n", "utf-8")
    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))  # 24 lines of 100 characters
    command = [
        sys.executable,
        "-m",
        "seqserve",
        "tag",
        str(tmp_path / "in"),
        "--output",
        str(tmp_path / "out"),
        *NEEDED,
    ]
    done = subprocess.run(command, cwd=ROOT, stderr=terminal, stdout=subprocess.PIPE, check=False, timeout=60)
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):  # raised at the end by Linux
        while piece := os.read(master, 10_000):
            shown += piece
    os.close(master)
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"22.0" in shown


def test_a_reader_that_has_enough_is_no_error() -> None:
    command = [sys.executable, "-m", "seqserve", "tag", "-", *NEEDED]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(b"Teddy Roosevelt came.\n")
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 1


@pytest.mark.parametrize(
    ("arguments", "data", "expected"),
    [
        (["-", *NEEDED, "--strict"], b"fine\nnot \xff fine\n", "-, line 2: Byte 5 is not UTF-8."),
        (["/no/such/file", *NEEDED], b"", "/no/such/file: No such file or directory."),
        (["-", *NEEDED, "--output", "/no/such/folder/out"], b"", "/no/such/folder/out: No such file or directory."),
        (["-", *NEEDED, "--model", "ner-xx"], b"", "There is no model 'ner-xx'; there are: tiny-char-lm"),
        (["-", "--models", "/no/such/folder"], b"", "/no/such/folder: cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments: list[str], data: bytes, expected: str) -> None:
    done = tag(*arguments, data=data)
    assert done.returncode == 1
    assert expected in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1
