"""Use the toy kind in every way: run in a copy of the packages that has it, see tests/test_toy_kind.py."""

import contextlib
import io
from pathlib import Path

import msgspec

import seqserve
from seqserve.cli import main
from seqserve.counter.manifest import (
    CounterArchitecture,
    CounterGraphs,
    CounterLimits,
    CounterManifest,
    CounterVocabularies,
)
from seqserve.entries import FileEntry, GoldenEntry
from seqserve.manifest import sha256_of, write_manifest
from seqserve.service.app import create_app
from seqserve.service.settings import Settings

MODELS = Path("toy-models")


def write_bundle() -> None:
    """Make the toy's bundle: its weight is 3, and its golden answer that two words count 6."""
    folder = MODELS / "words" / "1"
    folder.mkdir(parents=True)
    entries = {}
    for name, content in (("weights.json", b"3"), ("golden.json", b"6")):
        (folder / name).write_bytes(content)
        entries[name] = {"file": name, "sha256": sha256_of(folder / name), "bytes": len(content)}
    manifest = CounterManifest(
        format_version=1,
        name="words",
        version="1",
        created="2026-01-01",
        producer="test",
        description="Counts words.",
        languages=["en"],
        weights=FileEntry(**entries["weights.json"]),
        metrics={},
        data=[],
        licence="MIT",
        attribution=[],
        golden=GoldenEntry(**entries["golden.json"], tolerance=0.0),
        reproducible=True,
        extra_files=[],
        architecture=CounterArchitecture(cell="none", num_parameters=1),
        graphs=CounterGraphs(),
        vocabularies=CounterVocabularies(),
        limits=CounterLimits(max_tokens=5),
    )
    write_manifest(folder, manifest)


def output_of(*arguments: str) -> str:
    """Return what a command prints."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        assert main(arguments) == 0
    out.flush()
    return out.buffer.getvalue().decode()  # type: ignore[attr-defined]


write_bundle()
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
