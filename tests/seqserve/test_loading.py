"""Loading: a good bundle opens, and a bad one says in one sentence which file is wrong and why."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqserve.errors import BundleError
from seqserve.graph import Graph
from seqserve.loading import find_bundles, load_bundle, verify_bundle
from tests.seqserve.tiny_bundle import TINY, Spoiled


def golden_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "golden.json").read_bytes())


def test_the_tiny_bundle_is_verified_and_opened() -> None:
    bundle = load_bundle(TINY)
    assert bundle.manifest == verify_bundle(TINY)
    assert bundle.reproducible


def shape_of_tag_probs(manifest: dict[str, Any]) -> list[Any]:
    return manifest["graphs"]["tagger"]["outputs"][1]["shape"]


EDITS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "words size": (lambda m: m["vocabularies"]["words"].update(size=5), r"words\.txt: has \d+ ids instead of the 5 in"),
    "chars size": (
        lambda m: m["vocabularies"]["characters"].update(size=5),
        r"chars\.txt: has \d+ ids instead of the 5",
    ),
    "tags size": (lambda m: m["vocabularies"]["tags"].update(size=5), r"labels\.txt: has 13 ids instead of the 5"),
    "labels": (lambda m: m["architecture"]["labels"].reverse(), r"labels\.txt: has the tags .* instead of"),
    "scheme": (lambda m: m["architecture"].update(scheme="BIO"), r"labels\.txt: has the tags .* instead of"),
    "input name": (
        lambda m: m["graphs"]["tagger"]["inputs"][0].update(name="w"),
        r"manifest\.json: the inputs of the graph tagger must be",
    ),
    "input dtype": (
        lambda m: m["graphs"]["tagger"]["inputs"][0].update(dtype="int64"),
        r"manifest\.json: the inputs of the graph tagger must be",
    ),
    "output rank": (lambda m: shape_of_tag_probs(m).pop(), r"manifest\.json: the outputs of the graph tagger must"),
    "number of tags": (
        lambda m: shape_of_tag_probs(m).__setitem__(2, 9),
        r"manifest\.json: the outputs of the graph tagger must be .*13\]",
    ),
    "short words": (lambda m: m["limits"].update(max_word_chars=1), r"golden\.json: sentence \d+ gives"),
    "other look-up": (lambda m: m["tokenization"].update(lookup=["digits"]), r"golden\.json: sentence \d+ gives"),
}


@pytest.mark.parametrize(("change", "reason"), EDITS.values(), ids=EDITS.keys())
def test_a_manifest_that_does_not_fit_its_files_is_refused(
    spoiled: Spoiled, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    spoiled.edit(change)
    with pytest.raises(BundleError, match=rf"\A\S*{reason}[^\n]*\Z"):
        load_bundle(spoiled.folder)


def spoil_probability(golden: dict[str, Any]) -> None:
    golden["tag_probs"][1][0][0] += 0.01


GOLDEN: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "tag": (lambda g: g["tags"][0].__setitem__(0, "S-LOC"), "sentence 0 gives the tags"),
    "probability": (spoil_probability, r"sentence 1 gives tag_probs that differ by 0\.01, more than 0\.001"),
    "span": (lambda g: g["span_probs"][0].__setitem__(0, -1), "sentence 0 gives span_probs that differ"),
    "span count": (lambda g: g["span_probs"][0].pop(), r"sentence 0 gives span_probs of shape \(\d+,\) instead of"),
    "ragged": (lambda g: g["tag_probs"][0][0].pop(), "rows of unequal length"),
    "answers missing": (lambda g: g["tags"].pop(), "with one answer each"),
    "nothing": (lambda g: [g[name].clear() for name in g], "at least one sentence"),
    "field": (lambda g: g.update(more=[]), "unknown field `more`"),
}


@pytest.mark.parametrize(("change", "reason"), GOLDEN.values(), ids=GOLDEN.keys())
def test_recorded_answers_that_are_not_given_are_refused(
    spoiled: Spoiled, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    golden = golden_of(TINY)
    change(golden)
    spoiled.replace("golden.json", json.dumps(golden).encode())
    with pytest.raises(BundleError, match=rf"\A\S*golden\.json: [^\n]*{reason}[^\n]*\Z"):
        load_bundle(spoiled.folder)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("golden.json", b"{", "Input data was truncated"),
        ("words.txt", b"b\na\n", "not sorted"),
        ("chars.txt", b"ab\n", "line 1 holds 2 characters"),
        ("labels.txt", b"\xff\n", "byte 0 is not UTF-8"),
        ("labels.txt", b"O\r\n", "has 1 ids instead of the 13"),
        ("tagger.onnx", b"no graph", "is no ONNX graph"),
        ("tagger.onnx", b"\x08\x07", "the runtime cannot open it"),
        ("golden.json", b'{"sentences": [["\xff"]]}', "invalid utf-8|utf-8"),
        ("golden.json", b"[" * 100_000, "recursion|Expected"),
    ],
)
def test_damage_that_was_recorded_is_found_all_the_same(
    spoiled: Spoiled, name: str, content: bytes, reason: str
) -> None:
    spoiled.replace(name, content)
    with pytest.raises(BundleError, match=rf"\A\S*{name}: [^\n]*{reason}[^\n]*\Z"):
        load_bundle(spoiled.folder)


def test_other_weights_give_other_answers(spoiled: Spoiled) -> None:
    content = bytearray((TINY / "weights.safetensors").read_bytes())
    half = len(content) // 2
    content[half:] = bytes(len(content) - half)
    spoiled.replace("weights.safetensors", bytes(content))
    with pytest.raises(BundleError, match=r"golden\.json: sentence \d+ gives"):
        load_bundle(spoiled.folder)


def test_a_vocabulary_larger_than_the_graph_is_refused(spoiled: Spoiled) -> None:
    content = (TINY / "words.txt").read_bytes() + "\U0010fffd\n".encode()
    spoiled.replace("words.txt", content)
    spoiled.edit(lambda m: m["vocabularies"]["words"].update(size=content.count(b"\n") + 2))
    with pytest.raises(BundleError, match=r"\A\S*tagger\.onnx: cannot be run: [^\n]+\Z"):
        load_bundle(spoiled.folder)


def test_a_wrong_checksum_stops_before_anything_is_opened(spoiled: Spoiled, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_never(*arguments: object, **options: object) -> Graph:
        raise AssertionError("the graph was opened")

    monkeypatch.setattr(Graph, "open", open_never)
    (spoiled.folder / "weights.safetensors").write_bytes(bytes((TINY / "weights.safetensors").stat().st_size))
    with pytest.raises(BundleError, match=r"weights\.safetensors: wrong checksum"):
        load_bundle(spoiled.folder)


def test_a_provider_that_is_not_there_is_told_first(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="provider must be one of cpu, cuda, not 'tpu'"):
        load_bundle(tmp_path, provider="tpu")


def test_rows_that_change_with_their_batch_are_told_to_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Graph.run

    def run_by_batch(graph: Graph, feeds: Mapping[str, Any]) -> dict[str, Any]:
        outputs = run(graph, feeds)
        return outputs | {"span_probs": outputs["span_probs"] + np.float32(1e-5) * (len(feeds["words"]) > 1)}

    monkeypatch.setattr(Graph, "run", run_by_batch)
    assert load_bundle(TINY).reproducible is False


def test_a_bundle_that_says_it_is_not_reproducible_is_believed(spoiled: Spoiled) -> None:
    spoiled.edit(lambda m: m.update(reproducible=False))
    assert load_bundle(spoiled.folder).reproducible is False


def test_the_newest_version_of_each_model_is_found(tmp_path: Path) -> None:
    for name in ("b/9", "b/10", "a/1.2", "a/1.10", ".git/1", "c/.x"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "manifest.json").touch()
    (tmp_path / "d" / "1").mkdir(parents=True)
    found = [str(folder.relative_to(tmp_path)) for folder in find_bundles(tmp_path)]
    assert found == ["a/1.10", "b/10"]
    assert find_bundles(tmp_path / "none") == []
