"""A language model's folder is opened only when its parts fit and its answers are the recorded ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from seqserve.errors import BundleError
from seqserve.language.golden import Golden, record_golden
from seqserve.language.load import read_parts
from seqserve.language.manifest import LanguageModelManifest
from seqserve.language.model import LanguageModelBundle
from seqserve.loading import load_bundle
from seqserve.manifest import read_manifest, write_manifest
from seqserve.tagger.model import TaggerBundle
from seqserve.vocabulary.tokens import UNKNOWN_ID, TokenVocabulary
from tests.seqserve.tiny_bundle import TINY
from tests.seqserve.tiny_language_model import Flaws, rewrite_golden, write_tiny
from tests.toy_language_model import ToyLanguageModel


def tiny_folder(tmp_path: Path, **flaws: Any) -> Path:
    folder = tmp_path / "toy" / "1"
    write_tiny(folder, ToyLanguageModel(max_chunk_tokens=8), Flaws(**flaws))
    return folder


def with_golden(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Change the content of golden.json, its checksum included."""
    manifest = read_manifest(folder)
    assert isinstance(manifest, LanguageModelManifest)
    content = msgspec.json.decode((folder / "golden.json").read_bytes())
    change(content)
    rewrite_golden(folder, manifest, content)
    return folder


def test_a_language_model_is_verified_and_opened(tmp_path: Path) -> None:
    bundle = load_bundle(tiny_folder(tmp_path))
    assert bundle.manifest.task == "language-model"
    assert load_bundle(tmp_path / "toy" / "1", LanguageModelBundle).manifest == bundle.manifest
    assert len(list(bundle.manifest.files())) == 5


def test_a_bundle_of_another_task_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"manifest\.json: its task is 'language-model' instead of 'tag'"):
        load_bundle(tiny_folder(tmp_path), TaggerBundle)
    with pytest.raises(BundleError, match=r"manifest\.json: its task is 'tag' instead of 'language-model'"):
        load_bundle(TINY, LanguageModelBundle)
    assert load_bundle(TINY, TaggerBundle).manifest.task == "tag"


def test_rows_that_move_with_their_batch_are_told(tmp_path: Path) -> None:
    assert load_bundle(tiny_folder(tmp_path / "right")).reproducible
    assert not load_bundle(tiny_folder(tmp_path / "wrong", moved_by_batch=1e-6)).reproducible


FLAWS = {
    "graphs differ": ({"step_bias": 0.1}, "gives step log_probs against the score graph's that differ by"),
    "no numbers": ({"nan": True}, r"score\.onnx: the 8 ids of the vocabulary have the probability nan instead of 1"),
    "fewer ids": ({"fewer_ids": 1}, "score.onnx and step.onnx: cannot be run"),
}


@pytest.mark.parametrize(("flaws", "reason"), FLAWS.values(), ids=FLAWS)
def test_wrong_graphs_are_refused(tmp_path: Path, flaws: dict[str, Any], reason: str) -> None:
    with pytest.raises(BundleError, match=reason) as caught:
        load_bundle(tiny_folder(tmp_path, **flaws))
    assert "\n" not in str(caught.value)


GOLDEN = {
    "log_probs": (lambda g: g["rows"][0]["log_probs"].__setitem__(1, -9.0), "row 0 gives log_probs that differ by"),
    "top": (lambda g: g["rows"][0]["top_ids"][0].reverse(), "row 0 gives other top_ids than the recorded"),
    "top values": (
        lambda g: g["rows"][0]["top_log_probs"][0].__setitem__(1, -3.0),
        "row 0 gives top_log_probs that differ by",
    ),
    "ranks": (lambda g: g["rows"][1].update(ranks=[2, 2, 2]), "row 1 gives other ranks than the recorded"),
    "fewer": (lambda g: g["rows"][0]["ranks"].pop(), "row 0 is empty or its lists differ in length"),
    "uneven": (lambda g: g["rows"][0]["top_log_probs"][0].pop(), "row 0 gives top_log_probs, but the record has rows"),
    "top ids of another width": (
        lambda g: g["rows"][0].update(top_ids=[[1]] * len(g["rows"][0]["ids"])),
        r"row 0 gives top_ids of shape \(4, 4\) instead of \(4, 1\)",
    ),
    "id beyond": (lambda g: g["rows"][0]["ids"].__setitem__(0, 8), "row 0 holds ids beyond 0 to 7"),
    "draw": (lambda g: g["samples"][0]["uniforms"].__setitem__(0, 0.999), "sample 0 draws id"),
    "draw log_prob": (lambda g: g["samples"][1]["log_probs"].__setitem__(0, 0.5), "sample 1 gives log_probs that diff"),
    "no rows": (lambda g: g.update(rows=[]), "must hold at least one row and one sample"),
    "empty row": (
        lambda g: g["rows"].append({"ids": [], "log_probs": [], "ranks": [], "top_ids": [], "top_log_probs": []}),
        "row 6 is empty",
    ),
    "unknown field": (lambda g: g.update(extra=1), "unknown field `extra`"),
}


@pytest.mark.parametrize(("change", "reason"), GOLDEN.values(), ids=GOLDEN)
def test_other_answers_than_the_recorded_are_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    folder = with_golden(tiny_folder(tmp_path), change)
    with pytest.raises(BundleError, match=rf"golden\.json: [^\n]*{reason}[^\n]*\Z"):
        load_bundle(folder)


def test_a_record_holds_unknown_words_a_single_token_and_more_than_a_run_takes(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path)
    manifest = read_manifest(folder)
    assert isinstance(manifest, LanguageModelManifest)
    golden = record_golden(read_parts(folder, manifest).open(folder), [[3, 4]])
    lengths = [len(row.ids) for row in golden.rows]
    assert lengths == [2, 3, 1, 10]
    assert set(golden.rows[1].ids) == {UNKNOWN_ID}
    assert all(len(sample.ids) == len(sample.uniforms) == 12 for sample in golden.samples)
    assert not set(golden.samples[1].ids) & {0, UNKNOWN_ID}
    assert msgspec.json.decode(msgspec.json.encode(golden), type=Golden) == golden


@pytest.mark.parametrize("rows", [[], [[2], []]], ids=["none", "an empty one"])
def test_a_record_needs_rows(tmp_path: Path, rows: list[list[int]]) -> None:
    folder = tiny_folder(tmp_path)
    manifest = read_manifest(folder)
    assert isinstance(manifest, LanguageModelManifest)
    with pytest.raises(ValueError, match="at least one row of ids, none of them empty"):
        record_golden(read_parts(folder, manifest).open(folder), rows)


def test_a_vocabulary_of_another_size_is_refused(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path)
    manifest = read_manifest(folder)
    assert isinstance(manifest, LanguageModelManifest)
    tokens = msgspec.structs.replace(manifest.vocabularies.tokens, size=9)
    changed = msgspec.structs.replace(
        manifest, vocabularies=msgspec.structs.replace(manifest.vocabularies, tokens=tokens)
    )
    with pytest.raises(BundleError, match=r"tokens\.txt: has 8 ids instead of the 9 in the manifest"):
        read_parts(folder, changed).open(folder)


def test_a_graph_of_another_signature_is_refused(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path)
    manifest = read_manifest(folder)
    assert isinstance(manifest, LanguageModelManifest)
    architecture = msgspec.structs.replace(manifest.architecture, state_size=9)
    write_manifest(folder, msgspec.structs.replace(manifest, architecture=architecture))
    with pytest.raises(
        BundleError, match=r"manifest\.json: the inputs of the graph score must be .*float32\['\*', 9\]"
    ):
        load_bundle(folder)


def test_a_broken_file_is_seen_before_a_graph_is_opened(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path)
    TokenVocabulary(["a", "b"]).write(folder / "tokens.txt")
    with pytest.raises(BundleError, match=r"tokens\.txt: has 4 bytes instead of"):
        load_bundle(folder)
