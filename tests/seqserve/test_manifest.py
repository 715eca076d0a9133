"""The manifest: typed, versioned, and tied to its files."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from seqserve.errors import BundleError
from seqserve.files import MAX_MANIFEST_BYTES
from seqserve.loading import verify_bundle
from seqserve.manifest import FORMAT_VERSION, read_manifest, sha256_of, write_manifest
from tests.seqserve.tiny_bundle import TINY, Spoiled


def test_a_manifest_comes_back_as_written(tmp_path: Path) -> None:
    manifest = read_manifest(TINY)
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest
    assert json.loads((tmp_path / "manifest.json").read_bytes()) == json.loads((TINY / "manifest.json").read_bytes())


def test_every_file_of_the_bundle_is_recorded() -> None:
    recorded = {entry.file for entry in read_manifest(TINY).files()}
    assert recorded == {path.name for path in TINY.iterdir()} - {"manifest.json"}


def test_a_manifest_that_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    manifest = read_manifest(TINY)
    manifest = msgspec.structs.replace(manifest, weights=msgspec.structs.replace(manifest.weights, file="../weights"))
    with pytest.raises(BundleError, match=r"manifest\.json: .*\$\.weights\.file"):
        write_manifest(tmp_path, manifest)
    assert not list(tmp_path.iterdir())


def test_the_checksum_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


EDITS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "later format": (
        lambda m: m.update(format_version=2, more=1),
        f"version 2 is unknown, this release reads {FORMAT_VERSION}",
    ),
    "no format": (lambda m: m.pop("format_version"), "missing required field `format_version`"),
    "no name": (lambda m: m.pop("name"), "missing required field `name`"),
    "unknown field": (lambda m: m.update(colour="red"), "unknown field `colour`"),
    "unknown inner field": (lambda m: m["limits"].update(depth=1), r"unknown field `depth` - at `\$\.limits`"),
    "wrong type": (
        lambda m: m["limits"].update(max_word_chars="12"),
        r"Expected `int`, got `str` - at `\$\.limits\.max_word_chars`",
    ),
    "zero limit": (
        lambda m: m["limits"].update(max_sentence_tokens=0),
        r"`int` >= 1 - at `\$\.limits\.max_sentence_tokens`",
    ),
    "no date": (lambda m: m.update(created="2026-02-30"), "created is '2026-02-30' instead of a date"),
    "other task": (lambda m: m.update(task="score"), r"Invalid value 'score' - at `\$\.task`"),
    "unknown step": (lambda m: m["tokenization"]["lookup"].append("stem"), "Invalid enum value 'stem'"),
    "unknown tokeniser": (lambda m: m["tokenization"].update(name="other-1"), "Invalid enum value 'other-1'"),
    "label twice": (
        lambda m: m["architecture"]["labels"].append(m["architecture"]["labels"][0]),
        r"labels must differ, but '\w+' is given twice - at `\$\.architecture`",
    ),
    "short checksum": (lambda m: m["weights"].update(sha256="ab"), r"matching regex .* - at `\$\.weights\.sha256`"),
    "name with a slash": (lambda m: m.update(name="a/b"), r"matching regex .* - at `\$\.name`"),
    **{
        f"path {path}": (
            lambda m, path=path: m["weights"].update(file=path),
            r"matching regex .* - at `\$\.weights\.file`",
        )
        for path in ("../weights.safetensors", "/etc/passwd", "a/b", "..", ".", "", "a\\b", "c:x", "a\n")
    },
}


@pytest.mark.parametrize(("change", "reason"), EDITS.values(), ids=[name.replace("\n", "") for name in EDITS])
def test_a_manifest_that_does_not_fit_is_refused_in_one_sentence(
    spoiled: Spoiled, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    spoiled.edit(change)
    with pytest.raises(BundleError, match=rf"\A\S*manifest\.json: [^\n]*{reason}[^\n]*\Z"):
        read_manifest(spoiled.folder)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff", b'{"format_version": 1', b"[" * 100_000],
    ids=lambda content: repr(content[:9]),
)
def test_what_is_no_manifest_is_refused(spoiled: Spoiled, content: bytes) -> None:
    (spoiled.folder / "manifest.json").write_bytes(content)
    with pytest.raises(BundleError, match=r"\A\S*manifest\.json: [^\n]+\Z"):
        read_manifest(spoiled.folder)


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"manifest\.json: cannot be read: No such file"):
        read_manifest(tmp_path)


FILES = ["README.md", "chars.txt", "golden.json", "labels.txt", "tagger.onnx", "weights.safetensors", "words.txt"]


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(spoiled: Spoiled, name: str) -> None:
    (spoiled.folder / name).unlink()
    with pytest.raises(BundleError, match=rf"{name}: named in manifest\.json but missing"):
        verify_bundle(spoiled.folder)


@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_is_found(spoiled: Spoiled, name: str) -> None:
    content = bytearray((spoiled.folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (spoiled.folder / name).write_bytes(content)
    with pytest.raises(BundleError, match=rf"{name}: wrong checksum"):
        verify_bundle(spoiled.folder)


def test_a_wrong_size_is_told_without_a_checksum(spoiled: Spoiled) -> None:
    with open(spoiled.folder / "weights.safetensors", "ab") as file:
        file.write(b"x")
    with pytest.raises(BundleError, match=r"weights\.safetensors: has \d+ bytes instead of the \d+ in manifest\.json"):
        verify_bundle(spoiled.folder)


def test_a_folder_in_a_files_place_is_no_file(spoiled: Spoiled) -> None:
    (spoiled.folder / "words.txt").unlink()
    (spoiled.folder / "words.txt").mkdir()
    with pytest.raises(BundleError, match=r"words\.txt: is not a regular file"):
        verify_bundle(spoiled.folder)


@pytest.mark.parametrize("name", ["manifest.json", "words.txt", "tagger.onnx"])
def test_a_fifo_in_a_files_place_is_refused_and_not_waited_for(spoiled: Spoiled, name: str) -> None:
    (spoiled.folder / name).unlink()
    os.mkfifo(spoiled.folder / name)
    with pytest.raises(BundleError, match=rf"{name}: is not a regular file"):
        verify_bundle(spoiled.folder)


@pytest.mark.parametrize("name", ["manifest.json", "weights.safetensors"])
def test_a_device_without_end_is_refused(spoiled: Spoiled, name: str) -> None:
    (spoiled.folder / name).unlink()
    (spoiled.folder / name).symlink_to("/dev/zero")
    with pytest.raises(BundleError, match=rf"{name}: is not a regular file"):
        verify_bundle(spoiled.folder)


def test_a_manifest_has_a_limit(spoiled: Spoiled) -> None:
    os.truncate(spoiled.folder / "manifest.json", MAX_MANIFEST_BYTES + 1)
    with pytest.raises(BundleError, match=rf"manifest\.json: has \d+ bytes, more than the {MAX_MANIFEST_BYTES}"):
        read_manifest(spoiled.folder)
