"""`seqserve rank`: JSON lines of /v1/rank in, its answers out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from seqserve.cli import main
from seqserve.commands import rank as command
from seqserve.language.language_model import LanguageModel as Opened
from tests.service.toys import open_toy

BODIES: list[dict[str, Any]] = [
    {"candidates": ["the cat", "the dog"]},
    {"candidates": ["sat", {"text": "ran", "score": 1.5}, ""], "context": "the cat", "lm_weight": 0.5},
    {"candidates": ["the cat sat", "sat"], "normalize": "tokens", "length_bonus": 0.5, "model": "toy-word"},
]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., bytes]:
    """Run the command over bytes and return what it writes."""
    monkeypatch.setattr(command, "open_chosen", lambda given, expected: Opened(open_toy().bundle))

    def over(data: bytes, *, status: int = 0) -> bytes:
        (tmp_path / "in").write_bytes(data)
        assert main(["rank", str(tmp_path / "in"), "--output", str(tmp_path / "out")]) == status
        return (tmp_path / "out").read_bytes()

    return over


def test_answers_equal_those_over_http(run: Callable[..., bytes], make_app: Callable[..., Flask]) -> None:
    client = make_app(models=[open_toy()]).test_client()
    lines = run("\n".join(map(json.dumps, BODIES)).encode()).splitlines()
    assert lines == [client.post("/v1/rank", json=body).data for body in BODIES]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "is not valid JSON"),
        (b'{"candidates": ["a"]}', "/candidates: "),
        (b'{"candidates": ["a", "b"], "eos": true}', "unknown field `eos`"),
        (b'{"candidates": ["a", "b"], "model": "other"}', "/model: The open model is 'toy-word'"),
        (b'{"candidates": ["a", "b a"], "lm_weight": 1e308}', "is not finite"),
    ],
)
def test_a_line_that_cannot_be_ranked_says_why(run: Callable[..., bytes], line: bytes, message: str) -> None:
    good = json.dumps(BODIES[0]).encode()
    before, found, after = run(good + b"\n" + line + b"\n" + good + b"\n", status=1).splitlines()
    assert message in json.loads(found)["error"]
    assert before == after
    assert "ranking" in json.loads(before)


def test_an_empty_line_is_answered_with_one(run: Callable[..., bytes]) -> None:
    assert run(b"\n" + json.dumps(BODIES[0]).encode() + b"\n").startswith(b"\n{")
