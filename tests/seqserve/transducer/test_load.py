"""An encoder-decoder's folder is opened only when its parts fit and its answers are the recorded ones."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from seqserve.entries import GoldenEntry
from seqserve.errors import BundleError
from seqserve.loading import load_bundle
from seqserve.manifest import read_manifest, sha256_of, write_manifest
from seqserve.tagger.model import TaggerBundle
from seqserve.transducer.beam import Hypothesis
from seqserve.transducer.golden import TransducerGolden, record_golden
from seqserve.transducer.load import read_parts
from seqserve.transducer.manifest import TransducerArchitecture, TransducerManifest
from seqserve.transducer.model import TransducerBundle
from tests.seqserve.tiny_transducer import TINY_TRANSLATE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(TINY_TRANSLATE, tmp_path / "tiny-translate" / "1")
    return tmp_path / "tiny-translate" / "1"


def manifest_of(folder: Path) -> TransducerManifest:
    manifest = read_manifest(folder)
    assert isinstance(manifest, TransducerManifest)
    return manifest


def with_golden(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Change the content of golden.json, its checksum included."""
    path, manifest = folder / "golden.json", manifest_of(folder)
    content = msgspec.json.decode(path.read_bytes())
    change(content)
    path.write_bytes(msgspec.json.encode(content))
    entry = GoldenEntry(
        file=path.name, sha256=sha256_of(path), bytes=path.stat().st_size, tolerance=manifest.golden.tolerance
    )
    write_manifest(folder, msgspec.structs.replace(manifest, golden=entry))
    return folder


def test_it_is_verified_and_opened(folder: Path) -> None:
    bundle = load_bundle(folder)
    assert isinstance(bundle, TransducerBundle)
    assert bundle.manifest.task == "transduce"
    assert len(list(bundle.manifest.files())) == 7
    with pytest.raises(BundleError, match=r"manifest\.json: its task is 'transduce' instead of 'tag'"):
        load_bundle(folder, TaggerBundle)


GOLDEN = {
    "log_probs": (lambda g: g["pairs"][0]["log_probs"].__setitem__(1, -9.0), "pair 0 gives log_probs that differ by"),
    "another answer": (
        lambda g: g["pairs"][1]["target_ids"].__setitem__(0, 7),
        "pair 1: the recorded id 7 at token 0 is none of the 4 most likely",
    ),
    "fewer": (lambda g: g["pairs"][0]["log_probs"].pop(), "pair 0 is empty or its lists differ in length"),
    "no source": (lambda g: g["pairs"][0].update(source_ids=[]), "pair 0 is empty"),
    "source beyond": (lambda g: g["pairs"][0]["source_ids"].__setitem__(0, 99), "pair 0 holds ids beyond 0 to"),
    "target beyond": (lambda g: g["pairs"][2]["target_ids"].__setitem__(0, 99), "pair 2 holds ids beyond 0 to"),
    "none": (lambda g: g.update(pairs=[]), "must hold at least one pair"),
    "unknown field": (lambda g: g.update(extra=1), "unknown field `extra`"),
}


@pytest.mark.parametrize(("change", "reason"), GOLDEN.values(), ids=GOLDEN)
def test_other_answers_than_the_recorded_are_refused(
    folder: Path, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    with pytest.raises(BundleError, match=rf"golden\.json: [^\n]*{reason}[^\n]*\Z"):
        load_bundle(with_golden(folder, change))


def test_a_record_holds_the_greedy_answers(folder: Path) -> None:
    bundle = read_parts(folder, manifest_of(folder)).open(folder)
    golden = record_golden(bundle, [bundle.source_ids("Tom is happy.")])
    assert bundle.text_of(golden.pairs[0].target_ids) == "Tom est heureux."
    assert msgspec.json.decode(msgspec.json.encode(golden), type=TransducerGolden) == golden
    with pytest.raises(ValueError, match="at least one text"):
        record_golden(bundle, [])


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_vocabulary_of_another_size_is_refused(folder: Path, side: str) -> None:
    manifest = manifest_of(folder)
    entry = msgspec.structs.replace(getattr(manifest.vocabularies, side), size=9)
    vocabularies = msgspec.structs.replace(manifest.vocabularies, **{side: entry})
    with pytest.raises(BundleError, match=rf"{side}\.txt: has \d+ ids instead of the 9 in the manifest"):
        read_parts(folder, msgspec.structs.replace(manifest, vocabularies=vocabularies)).open(folder)


def test_a_graph_for_fewer_words_is_refused(folder: Path) -> None:
    manifest = manifest_of(folder)
    for side in ("source", "target"):
        path = folder / f"{side}.txt"
        path.write_bytes(path.read_bytes() + b"one\nmore\n")
        old = getattr(manifest.vocabularies, side)
        entry = msgspec.structs.replace(old, size=old.size + 2, sha256=sha256_of(path), bytes=path.stat().st_size)
        vocabularies = msgspec.structs.replace(manifest.vocabularies, **{side: entry})
        write_manifest(folder, msgspec.structs.replace(manifest, vocabularies=vocabularies))
        with pytest.raises(BundleError, match=r"encode\.onnx and decode\.onnx: cannot be run"):
            load_bundle(folder)
        path.write_bytes(path.read_bytes().removesuffix(b"one\nmore\n"))


def test_a_graph_of_another_signature_is_refused(folder: Path) -> None:
    manifest = manifest_of(folder)
    for name in ("state_size", "memory_size"):
        architecture = msgspec.structs.replace(manifest.architecture, **{name: 9})
        write_manifest(folder, msgspec.structs.replace(manifest, architecture=architecture))
        with pytest.raises(BundleError, match=r"manifest\.json: the outputs of the graph encode must be .*'\*', 9\]"):
            load_bundle(folder)


def test_attention_and_memory_need_each_other(folder: Path) -> None:
    architecture = msgspec.to_builtins(manifest_of(folder).architecture)
    for changes in ({"attention": "none"}, {"memory_size": 0}):
        with pytest.raises(msgspec.ValidationError, match="memory_size is"):
            msgspec.convert(architecture | changes, TransducerArchitecture)


def test_rows_that_move_with_their_batch_are_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_bundle(folder).reproducible
    run = TransducerBundle.run

    def moved(self: TransducerBundle, rows: list[Any]) -> list[Hypothesis]:
        shift = 0.0 if len(rows) == 1 else 1e-7
        return [Hypothesis(each.ids, each.log_prob + shift) for each in run(self, rows)]

    monkeypatch.setattr(TransducerBundle, "run", moved)
    assert not load_bundle(folder).reproducible


def test_no_numbers_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = TransducerBundle.encode

    def broken(self: TransducerBundle, rows: list[np.ndarray]) -> Any:
        found = encode(self, rows)
        return found._replace(state=found.state * np.float32(np.nan))

    monkeypatch.setattr(TransducerBundle, "encode", broken)
    with pytest.raises(BundleError, match=r"cannot be run: the model gave log-probabilities that are no numbers"):
        load_bundle(folder)
