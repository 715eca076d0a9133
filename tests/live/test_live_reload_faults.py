"""Reloads, starts and stops that meet hostile folders, held-up checks, dead workers and other signals."""

import os
import shutil
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.faults.clients import wait_until
from benchmarks.faults.models_folder import add_version, make_models_folder
from tests.live.problems import FINE
from tests.live.served import BUNDLES, Served, children_of, start

FAR_S = 60.0
HELD = ("-m", "tests.live.held_check_server")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder of bundles that may be changed."""
    return make_models_folder(tmp_path / "models", BUNDLES, ["tiny-ner"])


def reload(server: Served) -> None:
    """Send SIGHUP and wait until the log says how it ended."""
    before = server.log.count("SIGHUP:")
    server.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: server.log.count("SIGHUP:") > before, FAR_S), server.log


def hold(models: Path) -> None:
    """Let the next checks wait until `let_go`; one that waits has written `.held`."""
    os.mkfifo(models / ".hold")


def let_go(models: Path) -> None:
    """Wait until a check waits, let it go on, and hold up no other."""
    writers: list[int] = []

    def opens() -> bool:
        try:
            writers.append(os.open(models / ".hold", os.O_WRONLY | os.O_NONBLOCK))
        except OSError:  # nobody reads yet
            return False
        return True

    assert wait_until(opens, FAR_S)
    (models / ".hold").unlink()
    os.close(writers[0])


def version(server: Served) -> str:
    return str(server.post(FINE).json()["version"])


def command_of(process_id: int) -> bytes:
    return Path("/proc", str(process_id), "cmdline").read_bytes()


def checks_of(server: Served) -> list[int]:
    """Ids of the processes that check bundles for a server."""
    return [number for number in server.workers if b"tests.live.held_check\0" in command_of(number)]


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
    return True


def test_a_folder_whose_name_is_not_utf_8_is_passed_over(serve: Callable[..., Served], models: Path) -> None:
    server = serve("--workers", "2", "--models", str(models))
    workers = server.workers
    shutil.copytree(models / "tiny-ner" / "1", models / os.fsdecode(b"\xff\xfe") / "1")
    shutil.copytree(models / "tiny-ner" / "1", models / "tiny-ner" / os.fsdecode(b"2\xff"))
    reload(server)
    assert "the models have not changed" in server.log
    assert server.log.count("is not served: ") == 2, server.log
    assert r"/\udcff\udcfe/1 is not served" in server.log
    assert server.workers == workers
    assert version(server) == "1"


def test_a_broken_bundle_below_a_name_that_is_not_utf_8_is_named(serve: Callable[..., Served], tmp_path: Path) -> None:
    server = serve("--workers", "1", "--models", str(make_models_folder(tmp_path / "models", BUNDLES, ["tiny-ner"])))
    workers = server.workers
    folder = tmp_path / "models" / os.fsdecode(b"\xff") / "1"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_bytes(b"{")
    reload(server)
    assert r"models/\udcff/1/manifest.json" in server.log
    assert "The server keeps its previous models." in server.log
    assert server.workers == workers
    assert version(server) == "1"


def test_a_reload_whose_check_hangs_is_ended_by_sigterm(serve: Callable[..., Served], models: Path) -> None:
    server = serve("--workers", "1", "--models", str(models), script=HELD)
    hold(models)
    server.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: bool(checks_of(server)), FAR_S)
    assert version(server) == "1"
    assert server.stop() == 0  # fails when a process is left
    assert "SIGHUP: the reload was cancelled, because the server is about to stop" in server.log
    assert is_free(server.port)


def test_a_fifo_in_the_place_of_a_manifest_does_not_keep_the_server_from_ending(
    serve: Callable[..., Served], models: Path
) -> None:
    server = serve("--workers", "1", "--models", str(models))
    (models / "tiny-ner" / "2").mkdir()
    os.mkfifo(models / "tiny-ner" / "2" / "manifest.json")
    server.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: "Handling signal: hup" in server.log, FAR_S)
    assert version(server) == "1"
    assert server.stop() == 0
    assert is_free(server.port)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_start_whose_check_hangs_is_ended_by_signals(tmp_path: Path, models: Path, stop: signal.Signals) -> None:
    hold(models)
    server = start(tmp_path / "log", "--models", str(models), script=HELD)
    assert wait_until(lambda: bool(checks_of(server)), FAR_S)
    (check,) = checks_of(server)
    server.process.send_signal(stop)
    assert server.process.wait(FAR_S) == {signal.SIGTERM: 0, signal.SIGINT: 130, signal.SIGKILL: -9}[stop]
    assert wait_until(lambda: not Path("/proc", str(check)).exists() or command_of(check) == b"", FAR_S)
    assert "Traceback" not in server.log


def test_a_worker_that_dies_during_a_reload_is_replaced(serve: Callable[..., Served], models: Path) -> None:
    server = serve("--workers", "1", "--models", str(models), script=HELD)
    (worker,) = server.workers
    hold(models)
    server.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: bool(checks_of(server)), FAR_S)
    os.kill(worker, signal.SIGKILL)
    assert version(server) == "1"
    let_go(models)
    assert wait_until(lambda: "the models have not changed" in server.log, FAR_S), server.log


def test_a_bundle_that_comes_after_the_check_is_not_served(serve: Callable[..., Served], models: Path) -> None:
    server = serve("--workers", "1", "--models", str(models), script=HELD)
    add_version(models, "tiny-ner", "2")
    hold(models)
    server.process.send_signal(signal.SIGHUP)
    assert wait_until((models / ".held").exists, FAR_S)
    unseen = add_version(models, "tiny-ner", "3")
    (unseen / "tagger.onnx").write_bytes(b"no graph")
    let_go(models)
    assert wait_until(lambda: "serving tiny-ner 2" in server.log, FAR_S), server.log
    assert wait_until(lambda: version(server) == "2", FAR_S)
    assert str(unseen) not in server.log


def test_a_sighup_during_a_reload_is_handled_after_it(serve: Callable[..., Served], models: Path) -> None:
    server = serve("--workers", "1", "--models", str(models), script=HELD)
    (worker,) = server.workers
    hold(models)
    server.process.send_signal(signal.SIGHUP)
    assert wait_until((models / ".held").exists, FAR_S)
    add_version(models, "tiny-ner", "2")
    for _ in range(3):
        server.process.send_signal(signal.SIGHUP)
    os.kill(worker, signal.SIGKILL)
    # The master has replaced it, and so has taken the signals that came before it.
    assert wait_until(lambda: server.log.count("Booting worker") == 2, FAR_S), server.log
    let_go(models)
    assert wait_until(lambda: version(server) == "2", FAR_S), server.log


def test_workers_that_cannot_start_are_told_once_and_a_reload_repairs_it(
    serve: Callable[..., Served], models: Path
) -> None:
    server = serve("--workers", "2", "--models", str(models))
    assert wait_until(lambda: server.log.count("ready on cpu") == 2, FAR_S)
    add_version(models, "tiny-ner", "2")
    (models / "tiny-ner" / "1").rename(models / "tiny-ner" / ".1")
    dead, alive = server.workers
    os.kill(dead, signal.SIGKILL)
    assert wait_until(lambda: server.log.count("Booting worker") >= 5, FAR_S), server.log
    assert server.log.count("could not start") == 1, server.log
    (line,) = (line for line in server.log.splitlines() if "could not start" in line)
    assert "named in manifest.json but missing. The server tries again" in line
    assert alive in server.workers
    assert version(server) == "1"
    reload(server)
    assert wait_until(lambda: len(server.workers) == 2 and alive not in server.workers, FAR_S), server.log
    assert version(server) == "2"


def test_a_server_none_of_whose_workers_can_start_ends_and_says_why(tmp_path: Path, models: Path) -> None:
    server = start(tmp_path / "log", "--workers", "1", "--models", str(models))
    try:
        server.wait_until_ready()
        (models / "tiny-ner" / "1" / "tagger.onnx").unlink()
        os.kill(server.workers[0], signal.SIGKILL)
        assert server.process.wait(FAR_S) == 1
    finally:
        server.stop()
    (line,) = (line for line in server.log.splitlines() if line.startswith("seqserve: "))
    assert line.endswith("tagger.onnx: named in manifest.json but missing")


def test_sigterm_to_every_process_at_once_drains_as_sigterm_to_the_master_does(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "2", "--drain-s", "3")
    workers = server.workers
    for process_id in (*workers, server.process.pid):
        os.kill(process_id, signal.SIGTERM)
    assert wait_until(lambda: server.get("/readyz").status == 503, FAR_S)
    asked: list[int] = []

    def has_gone() -> bool:
        try:
            asked.append(server.post(FINE).status)
        except OSError:
            return True
        return False

    while server.get("/readyz").headers["Retry-After"] != "1":  # well beyond the moment for which workers wait
        assert server.workers == workers
        asked.append(server.post(FINE).status)
    assert set(asked) == {200}
    assert server.process.wait(FAR_S) == 0
    assert has_gone()


def test_sigterm_to_one_worker_replaces_it(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "2")
    stopped, other = server.workers
    os.kill(stopped, signal.SIGTERM)
    assert wait_until(lambda: len(server.workers) == 2 and stopped not in server.workers, FAR_S), server.log
    assert other in server.workers
    assert server.post(FINE).status == 200


def test_folders_of_the_environment_are_passed_over_and_links_are_served(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    models = make_models_folder(tmp_path / "models", BUNDLES, ["tiny-ner", "tiny-char-lm"])
    mounted = models / "tiny-ner"
    (mounted / "..2026_11_28").mkdir()
    for file in (mounted / "1").iterdir():
        file.rename(mounted / "..2026_11_28" / file.name)
        os.symlink(f"../..data/{file.name}", file)
    os.symlink("..2026_11_28", mounted / "..data")
    shutil.copytree(models / "tiny-char-lm" / "1", models / "tiny-char-lm" / "1.bak")
    (models / "lost+found").mkdir(mode=0o700)
    (models / "tiny-char-lm" / "²").mkdir()
    (models / "__MACOSX" / "tiny-ner").mkdir(parents=True)
    (models / ".DS_Store").write_bytes(b"\0")
    server = serve("--workers", "1", "--models", str(models))
    assert version(server) == "1"
    assert server.post({"text": "ab"}, path="/v1/score").status == 200
    passed_over = [line for line in server.log.splitlines() if "is not served" in line]
    assert len(passed_over) == 1
    assert passed_over[0].endswith("1.bak is not served: its manifest has the version '1' instead of '1.bak'")


def test_no_process_is_left_between_reloads(serve: Callable[..., Served], models: Path) -> None:
    server = serve("--workers", "1", "--models", str(models))
    for _ in range(2):
        reload(server)
    assert wait_until(lambda: len(children_of(server.process.pid)) == 1, FAR_S)
