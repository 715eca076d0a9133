"""`seqserve classify`: lines in, the results of /v1/classify out."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from seqserve.cli import main
from tests.service.conftest import BUNDLES
from tests.service.test_classify_route import open_classifier

TEXTS = ["where is the cat", "qxzzv", "we eat bread"] * 100


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., bytes]:
    def over(data: bytes, *flags: str, status: int = 0) -> bytes:
        (tmp_path / "in").write_bytes(data)
        arguments = [str(tmp_path / "in"), "--output", str(tmp_path / "out"), "--models", str(BUNDLES), *flags]
        assert main(["classify", *arguments]) == status
        return (tmp_path / "out").read_bytes()

    return over


def test_results_equal_those_over_http(run: Callable[..., bytes], make_app: Callable[..., Flask]) -> None:
    client = make_app(models=[open_classifier()]).test_client()
    lines = run("\n".join(TEXTS).encode()).splitlines()
    assert [json.loads(line) for line in lines] == client.post("/v1/classify", json={"text": TEXTS}).json["results"]


def test_labels_and_scores_as_columns(run: Callable[..., bytes]) -> None:
    columns = [line.split("\t") for line in run("\n".join(TEXTS[:3]).encode(), "--format", "tsv").decode().splitlines()]
    assert columns[0][0] == "question"
    assert all(0.5 <= float(score) <= 1 for _, score in columns)


@pytest.mark.parametrize("form", ["jsonl", "tsv"])
def test_an_empty_line_is_answered_with_one(run: Callable[..., bytes], form: str) -> None:
    lines = run(b"where is it\n\n \t \nwe eat bread\n", "--format", form).split(b"\n")
    assert [bool(line) for line in lines] == [True, False, False, True, False]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"a " * 13, "This text has more than 12 tokens, the most that the model takes."),
        (b"\xff", "Byte 1 is not UTF-8."),
    ],
)
@pytest.mark.parametrize("form", ["jsonl", "tsv"])
def test_a_line_that_cannot_be_classified_says_why(
    run: Callable[..., bytes], form: str, line: bytes, message: str
) -> None:
    lines = run(b"fine\n" * 299 + line + b"\nfine\n", "--format", form, status=1).splitlines()
    assert json.loads(lines.pop(299)) == {"error": message}
    assert len(lines) == 300
    assert len(set(lines)) == 1
