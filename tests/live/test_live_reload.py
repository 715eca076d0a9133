"""SIGHUP: new bundles take over under load without a failed request; broken ones change nothing and are named."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.faults.clients import Clients, reasons, tally, wait_until
from benchmarks.faults.connection import Outcome
from benchmarks.faults.known_answers import KnownAnswer, ask_alone, version_of
from benchmarks.faults.models_folder import add_version, flip_a_byte, make_models_folder
from tests.live.problems import FINE
from tests.live.served import BUNDLES, Served

FAR_S = 60.0
DRAFTS = [("/v1/tag", FINE), ("/v1/tag", {"text": ["Harry Potter came.", "a"]}), ("/v1/score", {"text": "ab"})]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder of bundles that may be changed."""
    return make_models_folder(tmp_path / "models", BUNDLES, ["tiny-ner", "tiny-char-lm"])


def wait_for(server: Served, text: str) -> None:
    """Wait until the log says something."""
    assert wait_until(lambda: text in server.log, FAR_S), server.log


def test_a_new_version_takes_over_under_load_and_no_request_fails(serve: Callable[..., Served], models: Path) -> None:
    server = serve("--workers", "2", "--models", str(models))
    known_answers = ask_alone(server.port, DRAFTS)
    old = server.workers
    versions = {"1"}

    def judge(known: KnownAnswer, body: bytes) -> bool:
        return known.is_right_at(body, versions | {"1"})

    with Clients(server.port, known_answers, 6, judge=judge) as clients:
        for version in ("2", "3"):
            add_version(models, "tiny-ner", version)
            versions.add(version)
            server.process.send_signal(signal.SIGHUP)

            def has_taken_over(version: str = version) -> bool:
                tagged = [each.body for each in clients.asked[-60:] if each.known.path == "/v1/tag"]
                return len(tagged) >= 20 and all(version_of(body) == version for body in tagged)

            assert wait_until(has_taken_over, FAR_S), server.log
    found = tally(clients.asked)
    assert found[Outcome.RIGHT] + found[Outcome.CLOSED_IDLE] == len(clients.asked), reasons(clients.asked)
    assert wait_until(lambda: len(server.workers) == 2, FAR_S)
    assert not set(old) & set(server.workers)
    assert server.post({**FINE}).json()["version"] == "3"


def test_a_broken_bundle_changes_nothing_and_the_log_says_why(serve: Callable[..., Served], models: Path) -> None:
    server = serve("--workers", "2", "--models", str(models))
    alone, workers = server.post(FINE), server.workers
    broken = add_version(models, "tiny-ner", "2", spoil=flip_a_byte)
    server.process.send_signal(signal.SIGHUP)
    wait_for(server, "weights.safetensors: wrong checksum")
    (line,) = (line for line in server.log.splitlines() if "wrong checksum" in line)
    assert str(broken) in line
    assert all(server.post(FINE).body == alone.body for _ in range(8))
    assert server.workers == workers


def test_after_a_broken_bundle_a_sound_one_is_taken(serve: Callable[..., Served], models: Path) -> None:
    server = serve("--workers", "1", "--models", str(models))
    add_version(models, "tiny-ner", "2", spoil=flip_a_byte)
    server.process.send_signal(signal.SIGHUP)
    wait_for(server, "wrong checksum")
    (models / "tiny-ner" / "2").rename(models / "tiny-ner" / ".2")
    add_version(models, "tiny-ner", "3")
    server.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: server.post(FINE).json()["version"] == "3", FAR_S), server.log


def test_a_new_model_is_there_after_a_reload(serve: Callable[..., Served], models: Path) -> None:
    server = serve("--workers", "1", "--models", str(models))
    body = {"text": "where have you been"}
    assert server.post(body, path="/v1/classify").status == 404
    make_models_folder(models, BUNDLES, ["tiny-classifier"])
    server.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: server.post(body, path="/v1/classify").status == 200, FAR_S), server.log
    wanted = {"tiny-ner", "tiny-char-lm", "tiny-classifier"}

    def listed() -> set[str]:
        return {model["id"] for model in server.get("/v1/models").json()["data"]}

    assert wait_until(lambda: listed() == wanted, FAR_S), server.log  # the old worker may answer for a moment more


def test_a_reload_of_what_is_there_already_replaces_no_worker(serve: Callable[..., Served], models: Path) -> None:
    server = serve("--workers", "2", "--models", str(models))
    workers, before = server.workers, server.log.count("SIGHUP")
    server.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: server.log.count("SIGHUP") > before, FAR_S), server.log
    assert server.post(FINE).status == 200
    assert server.workers == workers
