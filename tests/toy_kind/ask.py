"""Use the toy kind in every way: run in a copy of the packages that has it, see tests/test_toy_kind.py."""

import contextlib
import io
from pathlib import Path

import msgspec

import seqserve
from seqserve.cli import main
from seqserve.service.app import create_app
from seqserve.service.settings import Settings

MODELS = Path("toy-models")

CONFIG = """
task = "count"
name = "words"
version = "1"
description = "Counts words"
licence = "MIT"
data = { train = "three.txt" }
"""


def output_of(*arguments: str) -> str:
    """Return what a command prints."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        assert main(arguments) == 0
    out.flush()
    return out.buffer.getvalue().decode()  # type: ignore[attr-defined]


Path("counter.toml").write_text(CONFIG)
Path("three.txt").write_text("one\ntwo\nthree three\n")
output_of("train", "fit", "counter.toml", "--run", "run")
assert output_of("train", "export", "run", "--to", str(MODELS)) == f"{MODELS / 'words' / '1'}\n"
assert output_of("train", "evaluate", str(MODELS / "words" / "1"), "three.txt") == "4.0\n"

model = seqserve.load("words", seqserve.Counter, models=MODELS)  # type: ignore[attr-defined]
assert [result.count for result in model.count(["a b", "c"])] == [6, 3]

client = create_app(Settings(models=(MODELS,))).test_client()
reply = client.post("/v1/count", json={"text": ["a b", "c"]})
assert reply.json == {"model": "words", "version": "1", "results": [{"count": 6}, {"count": 3}]}, reply.json
assert client.post("/v1/count", json={"text": "a b c d e f"}).json["code"] == "text_too_long"
assert client.get("/v1/models/words").json["task"] == "count"
assert "/v1/count" in client.get("/openapi.json").json["paths"]
assert b'seqserve_tokens_counted_total{model="words"} 3.0' in client.get("/metrics").data

assert "count" in output_of("--help")
Path("lines.txt").write_text("a b\nc\n")
given = ["--models", str(MODELS), "--output", "counts.txt"]
output_of("count", "lines.txt", *given)
assert [msgspec.json.decode(line) for line in Path("counts.txt").read_bytes().splitlines()] == [
    {"count": 6},
    {"count": 3},
]
print("all answered")
