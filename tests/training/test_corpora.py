"""The registry of data sets: listing, importing, downloading, and files that are not what they should be."""

import argparse
import gzip
import hashlib
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from seqserve.training import corpora
from seqserve.training.commands import corpora as corpora_command
from seqserve.training.corpora import (
    CorporaError,
    Corpus,
    CorpusFile,
    corpus_file,
    find_corpus,
    known_corpora,
    state_of,
)
from seqserve.training.fetch import CONVERTERS, fetch_corpus, from_uner

PLAIN = b"a\tO\n"
CONTENT = b"b\tB-PER\n"
PACKED = gzip.compress(CONTENT, 1)
IOB2 = (
    b"# newdoc id = d1\n# sent_id = 1\n# text = x\n"
    b"1\tAl\tB-ORG\t-\tann\n2\tthe\tB-O\t-\tann\n3\tSyrian\tI-OTH\t-\tann\n\n"
)
UNER = b"# doc = d1\nAl\tB-ORG\nthe\tO\nSyrian\tO\n\n"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def made(name: str, *files: CorpusFile) -> Corpus:
    names = ("title", "labels", "scheme", "columns", "licence", "attribution", "revision", "changes")
    texts = dict.fromkeys(names, "x")
    return Corpus(name=name, kind="ner", ship=True, source="https://example.org/toy", files=files, **texts)


TOY = made(
    "toy",
    CorpusFile(path="toy/plain.conll", bytes=len(PLAIN), sha256=sha256(PLAIN)),
    CorpusFile(path="toy/packed.conll.gz", bytes=len(PACKED), sha256=sha256(PACKED), content_sha256=sha256(CONTENT)),
)


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to import from that holds the data set "toy"; the data folder is tmp_path/data."""
    monkeypatch.setenv("SEQSERVE_DATA", str(tmp_path / "data"))
    for module in (corpora, corpora_command):
        monkeypatch.setattr(module, "known_corpora", lambda: (TOY, made("other", *TOY.files[:0])))
    source = tmp_path / "source"
    (source / "toy").mkdir(parents=True)
    (source / "toy" / "plain.conll").write_bytes(PLAIN)
    (source / "toy" / "packed.conll.gz").write_bytes(PACKED)
    return source


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    corpora_command.add_arguments(parser)
    return corpora_command.run(parser.parse_args(words))


def test_the_registry_is_complete_and_coherent() -> None:
    names = [each.name for each in known_corpora()]
    assert len(set(names)) == len(names) == 27
    for each in known_corpora():
        assert each.files
        assert bool(each.attribution) == (each.ship or each.ship_text), f"{each.name}: what is shipped is attributed"
        assert each.kind in ("ner", "vectors", "text", "pairs", "classification")
        for file in each.files:
            assert file.path.startswith(f"{each.name}/")
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            assert not file.path.endswith(".gz") or file.content_sha256
            assert not file.url or file.url.startswith("https://")
            assert file.convert in ("", *CONVERTERS)


def test_nothing_without_a_clear_licence_is_marked_for_shipping() -> None:
    assert {each.name for each in known_corpora() if not each.ship} == {
        "gmb",
        "wikiann_en",
        "worldwide_newswire",
        "conll2003",
        "ptb",
        "blimp_dev",
        "jfleg",
        "marvin_linzen",
        "sst2",
        "rt_polarity",
        "dna",
        "nottingham_abc",
    }
    assert not any(file.url for file in find_corpus("conll2003").files)


def test_an_import_copies_checks_and_is_idempotent(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert state_of(TOY, corpora.data_folder()) == "absent"
    assert command("--from", str(toy), "toy") == 0
    assert state_of(TOY, corpora.data_folder()) == "present"
    assert (corpora.data_folder() / "toy" / "plain.conll").read_bytes() == PLAIN
    assert command("--from", str(toy), "toy") == 0
    assert capsys.readouterr().out == "toy: 2 of 2 files copied\ntoy: 0 of 2 files copied\n"


def test_an_import_of_everything_passes_over_what_the_folder_lacks(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--from", str(toy)) == 0
    assert capsys.readouterr().out == f"toy: 2 of 2 files copied\nother: not in {toy}\n"


def test_a_damaged_file_is_refused_with_both_sums(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (toy / "toy" / "plain.conll").write_bytes(b"other")
    assert command("--from", str(toy), "toy") == 1
    message = capsys.readouterr().err
    assert f"{toy}/toy/plain.conll: damaged" in message
    assert sha256(b"other") in message
    assert sha256(PLAIN) in message
    assert list((corpora.data_folder() / "toy").iterdir()) == []


def test_a_file_that_the_folder_lacks_is_named(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (toy / "toy" / "packed.conll.gz").unlink()
    assert command("--from", str(toy), "toy") == 1
    assert f"{toy}/toy/packed.conll.gz is not there" in capsys.readouterr().err
    with pytest.raises(CorporaError, match="there is no such folder"):
        command("--from", str(toy / "absent"))


def test_another_packing_of_the_same_content_is_right(toy: Path) -> None:
    (toy / "toy" / "packed.conll.gz").write_bytes(gzip.compress(CONTENT, 9))
    assert command("--from", str(toy), "toy") == 0
    assert state_of(TOY, corpora.data_folder()) == "present"


def test_states_name_what_is_missing_or_damaged(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command("--from", str(toy), "toy")
    folder = corpora.data_folder() / "toy"
    (folder / "plain.conll").unlink()
    assert state_of(TOY, corpora.data_folder()) == "incomplete: no toy/plain.conll"
    (folder / "packed.conll.gz").write_bytes(b"damaged")
    assert state_of(TOY, corpora.data_folder()) == "damaged: toy/packed.conll.gz"
    capsys.readouterr()
    assert command() == 0
    table = capsys.readouterr().out.splitlines()
    assert table[1].split() == ["name", "kind", "ship", "state", "licence", "source"]
    assert table[2].split() == ["toy", "ner", "yes", "damaged:", "toy/packed.conll.gz", "x", "https://example.org/toy"]


def test_show_prints_licence_source_and_sums(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--show", "toy") == 0
    printed = capsys.readouterr().out
    assert "  source: https://example.org/toy\n" in printed
    assert f"  {sha256(PLAIN)}  toy/plain.conll  {len(PLAIN)} bytes\n" in printed


def test_corpus_file_gives_a_checked_path(toy: Path) -> None:
    command("--from", str(toy), "toy")
    assert corpus_file("toy/plain.conll") == corpora.data_folder() / "toy/plain.conll"
    assert corpus_file("toy") == corpora.data_folder() / "toy"
    (corpora.data_folder() / "toy/plain.conll").write_bytes(b"other")
    with pytest.raises(CorporaError, match=r"plain\.conll: damaged: its sha256 is"):
        corpus_file("toy/plain.conll")


def test_an_absent_file_is_named_with_the_command_that_gets_it(toy: Path) -> None:
    with pytest.raises(CorporaError, match=r"plain\.conll is not there: get it with `.* corpora --from FOLDER toy`$"):
        corpus_file("toy/plain.conll")
    with pytest.raises(CorporaError, match=r"toy has toy/plain\.conll, toy/packed\.conll\.gz"):
        corpus_file("toy/absent.conll")
    with pytest.raises(CorporaError, match="nothing: no such data set; known are toy, other"):
        corpus_file("nothing/x")


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the address at which a local HTTP server gives out its files."""
    folder = tmp_path / "upstream"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def remote(address: str, name: str, data: bytes, *, convert: str = "") -> CorpusFile:
    packed = {"content_sha256": sha256(data)} if name.endswith(".gz") else {}
    return CorpusFile(
        path=f"toy/{name}",
        bytes=len(data),
        sha256=sha256(data),
        url=f"{address}/{name}.raw",
        convert=convert,
        **packed,
    )


def test_downloads_are_converted_packed_and_checked(upstream: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = upstream
    (folder / "a.conll.raw").write_bytes(PLAIN)
    (folder / "b.conll.gz.raw").write_bytes(IOB2)
    corpus = made("toy", remote(address, "a.conll", PLAIN), remote(address, "b.conll.gz", UNER, convert="uner"))
    assert list(fetch_corpus(corpus, tmp_path / "data")) == []
    assert state_of(corpus, tmp_path / "data") == "present"
    assert gzip.decompress((tmp_path / "data/toy/b.conll.gz").read_bytes()) == UNER


def test_a_download_with_another_sum_is_refused(upstream: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = upstream
    (folder / "a.conll.raw").write_bytes(b"changed upstream")
    (message,) = fetch_corpus(made("toy", remote(address, "a.conll", PLAIN)), tmp_path / "data")
    assert message.startswith(f"{address}/a.conll.raw: damaged: ")
    assert sha256(b"changed upstream") in message
    assert sha256(PLAIN) in message
    assert list((tmp_path / "data/toy").iterdir()) == []


def test_what_cannot_be_downloaded_is_said_and_the_rest_is_had(upstream: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = upstream
    (folder / "a.conll.raw").write_bytes(PLAIN)
    corpus = made("toy", *TOY.files[:1], remote(address, "absent.conll", PLAIN), remote(address, "a.conll", PLAIN))
    by_hand, absent = fetch_corpus(corpus, tmp_path)
    assert by_hand.startswith(f"{tmp_path}/toy/plain.conll has to be imported with `seqserve train corpora --from")
    assert "https://example.org/toy" in by_hand
    assert absent == f"{address}/absent.conll.raw: answers 404 File not found"
    assert (tmp_path / "toy/a.conll").read_bytes() == PLAIN


def test_an_unreachable_server_and_endless_answers_are_errors(
    upstream: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, address = upstream
    (folder / "a.conll.raw").write_bytes(bytes(100_000))
    monkeypatch.setattr("seqserve.training.fetch._LIMIT_BYTES", 70_000)
    (message,) = fetch_corpus(made("toy", remote(address, "a.conll", PLAIN)), tmp_path)
    assert message.endswith("sends more than 70000 bytes")
    (message,) = fetch_corpus(made("toy", remote("http://127.0.0.1:1", "a.conll", PLAIN)), tmp_path)
    assert message.startswith("http://127.0.0.1:1/a.conll.raw: cannot be downloaded: ")


def test_fetch_needs_names(toy: Path) -> None:
    with pytest.raises(CorporaError, match="--fetch needs names"):
        command("--fetch")
    assert command("--fetch", "toy") == 1


def test_uner_files_lose_other_names_stray_marks_and_annotators() -> None:
    assert from_uner(IOB2) == UNER
