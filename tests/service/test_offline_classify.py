"""`python -m service classify`: lines in, the results of /v1/classify out."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from seqserve.service.offline.classify import classify
from seqserve.service.offline.common import InputError
from tests.service.conftest import BUNDLES
from tests.service.test_classify_route import open_classifier

TEXTS = ["where is the cat", "qxzzv", "we eat bread"] * 100


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., bytes]:
    def over(data: bytes, *flags: str) -> bytes:
        (tmp_path / "in").write_bytes(data)
        arguments = [str(tmp_path / "in"), "--output", str(tmp_path / "out"), "--models", str(BUNDLES), *flags]
        assert classify(arguments, {}) == 0
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


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"fine\n\n", r"line 2: has no token; a text has 1 to 12\."),
        (b"fine\n" * 300 + b"a " * 13, r"line 301: has more than 12 tokens; a text has 1 to 12\."),
        (b"fine\n\xff\n", r"line 2: byte 1 is not UTF-8\."),
    ],
)
def test_a_line_that_cannot_be_classified_is_named(run: Callable[..., bytes], data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(data)
