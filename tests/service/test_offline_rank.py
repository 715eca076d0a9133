"""`python -m service rank`: JSON lines of /v1/rank in, its answers out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from seqserve.errors import SeqserveError
from seqserve.service.offline import rank as command
from tests.service.toys import open_toy

BODIES: list[dict[str, Any]] = [
    {"candidates": ["the cat", "the dog"]},
    {"candidates": ["sat", {"text": "ran", "score": 1.5}, ""], "context": "the cat", "lm_weight": 0.5},
    {"candidates": ["the cat sat", "sat"], "normalize": "tokens", "length_bonus": 0.5, "model": "toy-word"},
]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], bytes]:
    """Run the command over bytes and return what it writes."""
    monkeypatch.setattr(command, "open_offline", lambda given, task: open_toy())

    def over(data: bytes) -> bytes:
        (tmp_path / "in").write_bytes(data)
        assert command.rank([str(tmp_path / "in"), "--output", str(tmp_path / "out")], {}) == 0
        return (tmp_path / "out").read_bytes()

    return over


def test_answers_equal_those_over_http(run: Callable[[bytes], bytes], make_app: Callable[..., Flask]) -> None:
    client = make_app(models=[open_toy()]).test_client()
    lines = run("\n".join(map(json.dumps, BODIES)).encode()).splitlines()
    assert lines == [client.post("/v1/rank", json=body).data for body in BODIES]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "is not valid JSON"),
        (b"", "is not valid JSON"),
        (b'{"candidates": ["a"]}', "/candidates: "),
        (b'{"candidates": ["a", "b"], "eos": true}', "/eos: This field is not known"),
        (b'{"candidates": ["a", "b"], "model": "other"}', "/model: The open model is 'toy-word'"),
        (b'{"candidates": ["a", "b a"], "lm_weight": 1e308}', "is not finite"),
    ],
)
def test_errors_name_file_and_line(run: Callable[[bytes], bytes], line: bytes, message: str) -> None:
    with pytest.raises(SeqserveError) as caught:
        run(json.dumps(BODIES[0]).encode() + b"\n" + line + b"\n")
    assert "in, line 2: " in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
