"""Reading files that somebody else wrote: never waits, never without a limit, always names the file."""

import os
from pathlib import Path

import msgspec
import pytest

from seqserve.classifier import load as load_classifier
from seqserve.errors import BundleError
from seqserve.files import read_file, read_json
from seqserve.language import golden as language_golden
from seqserve.tagger import load as tagger_load
from seqserve.transducer import golden as transducer_golden
from seqserve.vocabulary.tokens import TokenVocabulary
from seqserve.vocabulary.words import CharacterVocabulary, WordVocabulary


class Pair(msgspec.Struct):
    left: str
    right: list[int]


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_file(path, max_bytes=5) == b"12345"
    with pytest.raises(BundleError, match=r"/file: has 5 bytes, more than the 4 that are read\Z"):
        read_file(path, max_bytes=4)


def test_a_link_to_a_regular_file_is_followed(tmp_path: Path) -> None:
    """Kubernetes mounts secrets and configuration as links."""
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_file(tmp_path / "link", max_bytes=100) == b"content"


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("make", [make_fifo, make_device, make_folder])
@pytest.mark.parametrize("read", [WordVocabulary.read, CharacterVocabulary.read, TokenVocabulary.read])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, make, read) -> None:  # type: ignore[no-untyped-def]
    make(tmp_path / "thing")
    with pytest.raises(BundleError, match=r"/thing: is not a regular file\Z"):
        read(tmp_path / "thing")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"/none: cannot be read: No such file or directory\Z"):
        read_file(tmp_path / "none", max_bytes=1)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b'{"left": "\xff", "right": []}', b'{"left": 1, "right": []}', b'{"right":' + b"[" * 100_000],
    ids=["empty", "truncated", "not UTF-8", "wrong type", "deep"],
)
def test_malformed_json_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pair.json").write_bytes(content)
    with pytest.raises(BundleError, match=r"\A\S*/pair\.json: [^\n]+\Z"):
        read_json(tmp_path / "pair.json", Pair)


@pytest.mark.parametrize(
    "read",
    [
        tagger_load._read_golden,
        lambda path: load_classifier._read_golden(path, num_labels=2),
        lambda path: language_golden.read_golden(path, num_tokens=5),
        lambda path: transducer_golden.read_golden(path, num_source=5, num_target=5),
    ],
    ids=["tagger", "classifier", "language model", "transducer"],
)
def test_recorded_answers_that_are_not_utf_8_are_refused(tmp_path: Path, read) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "golden.json").write_bytes(
        b'{"sentences": [["\xff"]], "texts": [["\xff"]], "rows": ["\xff"], "pairs": ["\xff"]}'
    )
    with pytest.raises(BundleError, match=r"\A\S*/golden\.json: [^\n]+\Z"):
        read(tmp_path / "golden.json")
