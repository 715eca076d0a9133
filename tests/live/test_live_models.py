"""Which models a server takes: of several folders, of one bundle, and which of them answer by default."""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from benchmarks.faults.clients import wait_until
from tests.live.served import BUNDLES, Served, run

TINY = BUNDLES / "tiny-ner" / "1"


def test_models_of_several_folders_are_served_and_defaults_said(serve: Callable[..., Served], tmp_path: Path) -> None:
    shutil.copytree(BUNDLES / "tiny-lm", tmp_path / "tiny-lm")
    shutil.copytree(BUNDLES / "tiny-char-lm", tmp_path / "tiny-char-lm")
    flags = ["--models", str(tmp_path), "--models", str(TINY), "--default", "language-model=tiny-lm"]
    server = serve("--workers", "1", *flags)
    assert server.post({"text": "a"}).status == 200
    assert server.post({"text": "the cat"}, path="/v1/score").json()["model"] == "tiny-lm"
    assert "requests that name no model: language-model by tiny-lm, tag by tiny-ner" in server.log
    shutil.copytree(TINY, tmp_path / "tiny-ner" / "1")
    server.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: f"the model 'tiny-ner' is also in {tmp_path}" in server.log, 60.0), server.log
    assert server.post({"text": "a"}).status == 200


def test_a_default_that_is_not_there_stops_the_start_with_one_sentence() -> None:
    done = run("--models", str(TINY), "--default", "tag=ner")
    assert done.stderr == "seqserve: --default tag=ner: there is no model 'ner'; there are: tiny-ner.\n"


def test_without_models_the_start_says_where_they_come_from(tmp_path: Path) -> None:
    done = run(cwd=tmp_path, HOME=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith(f"seqserve: no model is in ./models, {tmp_path}/.local/share/seqserve/models")
    assert done.stderr.count("\n") == 1


def test_one_bundle_can_be_the_models(serve: Callable[..., Served]) -> None:
    assert serve("--workers", "1", "--models", str(TINY)).post({"text": "a"}).status == 200
