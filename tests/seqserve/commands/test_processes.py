"""`seqserve score` and `rank` as a user starts them, with real bundles."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.conftest import BUNDLES

ROOT = Path(__file__).resolve().parents[3]
NEEDED = ["--models", str(BUNDLES)]
LINES = "the cat sat .\nThe apple and pear salad\n\nqxzzv\n"


def service(*arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "seqserve", *arguments],
        cwd=ROOT,
        input=data,
        capture_output=True,
        check=False,
        timeout=60,
    )


def test_score() -> None:
    done = service("score", "-", "--model", "tiny-lm", *NEEDED, data=LINES.encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert [json.loads(line)["num_tokens"] for line in done.stdout.splitlines()] == [5, 6, 1, 2]


def test_score_as_text() -> None:
    done = service("score", "-", "--model", "tiny-lm", "--format", "text", *NEEDED, data=LINES.encode())
    assert [line.split(":")[0] for line in done.stdout.decode().splitlines()] == [
        *["Total"] * 4,
        "Perplexity including OOVs",
        "Perplexity excluding OOVs",
        "OOVs",
        "Tokens",
    ]


def test_rank() -> None:
    body = json.dumps({"candidates": ["the cat sat .", "sat cat . the"]}).encode()
    done = service("rank", "-", "--model", "tiny-lm", *NEEDED, data=body)
    assert (done.returncode, done.stderr) == (0, b"")
    assert sorted(item["index"] for item in json.loads(done.stdout)["ranking"]) == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "data", "expected"),
    [
        (["score", "-", *NEEDED, "--strict"], b"fine\nnot \xff fine\n", "-, line 2: Byte 5 is not UTF-8."),
        (["score", "/no/such/file", *NEEDED], b"", "/no/such/file: No such file or directory."),
        (["score", "-", *NEEDED, "--output", "/no/such/folder/out"], b"", "/no/such/folder/out: No such file"),
        (
            ["score", "-", *NEEDED, "--model", "tiny-ner"],
            b"",
            "tiny-ner/1: is a tagger, not a language model",
        ),
        (["rank", "-", "--models", "/no/such/folder"], b"", "/no/such/folder: cannot be read: No such file"),
        (["rank", "-", *NEEDED, "--strict"], b"{}\n", "-, line 1: "),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments: list[str], data: bytes, expected: str) -> None:
    done = service(*arguments, data=data)
    assert done.returncode == 1
    assert expected in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


def test_an_interrupt_ends_without_a_word() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "seqserve", "score", "-", *NEEDED],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b"the cat\n")
        process.stdin.flush()
        assert "log_prob" in json.loads(process.stdout.readline())  # though the input has not ended
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr.read() == b""
