"""Starting with sound and unsound bundles and settings; stopping without losing a request."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faults.clients import wait_until
from tests.live.problems import FINE
from tests.live.served import BUNDLES, ROOT, Served, run, start

TINY = BUNDLES / "tiny-ner" / "1"


def change_manifest(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")


def flip_byte(folder: Path) -> str:
    data = bytearray((folder / "weights.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(data)
    return "weights.safetensors: wrong checksum"


def remove_words(folder: Path) -> str:
    (folder / "words.txt").unlink()
    return "words.txt: named in manifest.json but missing"


def later_version(folder: Path) -> str:
    change_manifest(folder, lambda manifest: manifest.update(format_version=99))
    return "manifest.json: format version 99 is unknown"


def other_output(folder: Path) -> str:
    change_manifest(folder, lambda manifest: manifest["graphs"]["tagger"]["outputs"][1]["shape"].__setitem__(2, 7))
    return "the outputs of the graph tagger must be"


def no_json(folder: Path) -> str:
    (folder / "manifest.json").write_bytes(b"{")
    return "manifest.json: "


def no_bundle(folder: Path) -> str:
    shutil.rmtree(folder)
    return "holds no bundle"


@pytest.mark.parametrize("spoil", [flip_byte, remove_words, later_version, other_output, no_json, no_bundle])
def test_a_bad_bundle_stops_the_start_with_one_sentence(tmp_path: Path, spoil: Callable[[Path], str]) -> None:
    folder = tmp_path / "tiny-ner" / "1"
    shutil.copytree(TINY, folder)
    expected = spoil(folder)
    done = run("--models", str(tmp_path))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"seqserve: {tmp_path}")
    assert expected in line


def test_a_worker_that_cannot_open_its_models_stops_the_start_with_one_sentence(tmp_path: Path) -> None:
    served = start(
        tmp_path / "log", "--workers", "3", "--log-level", "warning", script=("-m", "tests.live.unopenable_server")
    )
    try:
        assert served.process.wait(30) == 1
    finally:
        served.stop()
    assert served.log == "seqserve: tagger.onnx: the worker cannot open it\n"


@pytest.mark.parametrize("spoil", [flip_byte, remove_words])
def test_check_says_what_is_wrong_with_a_bundle(tmp_path: Path, spoil: Callable[[Path], str]) -> None:
    folder = tmp_path / "tiny-ner" / "1"
    shutil.copytree(TINY, folder)
    command = [sys.executable, "-m", "service", "check", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "tiny-ner 1 is sound: golden answers hold, rows stand alone.\n")
    expected = spoil(folder)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert expected in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("flags", "environment", "expected"),
    [
        (["--threads", "many"], {}, "--threads must be a whole number, not 'many'."),
        (["--deadline-s", "0"], {}, "--deadline-s must be above 0, not 0.0."),
        ([], {"SEQSERVE_WORKERS": "-1"}, "--workers must be 0 or more, not -1."),
        ([], {"SEQSERVE_PROVIDER": "abacus"}, "--provider must be one of cpu, cuda, auto, not 'abacus'."),
        (["--api-keys-file", "/no/such/file"], {}, "--api-keys-file /no/such/file: cannot be read"),
    ],
)
def test_a_bad_setting_stops_the_start(flags: list[str], environment: dict[str, str], expected: str) -> None:
    done = run("--models", str(BUNDLES), *flags, **environment)
    assert done.returncode == 2
    assert done.stderr.startswith(f"seqserve: {expected}")
    assert done.stderr.count("\n") == 1


def test_help_lists_every_setting() -> None:
    done = run("--help")
    assert done.returncode == 0
    for name in (
        "HOST",
        "PORT",
        "MODELS",
        "WORKERS",
        "THREADS",
        "PROVIDER",
        "MAX_BODY_BYTES",
        "MAX_QUEUE_TOKENS",
        "DEADLINE_S",
        "DRAIN_S",
        "API_KEYS",
        "LOG_LEVEL",
        "MAX_TEXTS",
        "MAX_TOKENS",
    ):
        assert f"SEQSERVE_{name}" in done.stdout


def test_settings_come_from_the_environment_and_flags_win(serve: Callable[..., Served]) -> None:
    server = serve("--max-texts", "3", SEQSERVE_MAX_TEXTS="2", SEQSERVE_WORKERS="1", SEQSERVE_MAX_TOKENS="4")
    assert len(server.workers) == 1
    assert server.post({"text": ["a"] * 3}).status == 200
    assert server.post({"text": ["a"] * 4}).json()["code"] == "too_many_texts"
    assert server.post({"text": "a b c d e"}).json()["code"] == "text_too_long"


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted in /proc")
def test_workers_are_forked_from_a_single_thread(server: Served) -> None:
    """A thread that is there before the fork is missing in the workers, which then abort or wait for ever."""
    assert len(list(Path("/proc", str(server.process.pid), "task").iterdir())) == 1


def test_a_dead_worker_is_replaced(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1")
    (worker,) = server.workers
    os.kill(worker, signal.SIGKILL)
    assert server.post({"text": "a"}).status == 200
    assert server.workers != [worker]


def test_sigint_stops_too(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1")
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(30) == 0
    assert "Traceback" not in server.log


def test_sigterm_under_load_loses_no_request(serve: Callable[..., Served]) -> None:
    """What begins before the listeners close is answered in full; connections that come at that moment may be cut."""
    drain_s = 2.0
    server = serve("--workers", "2", "--drain-s", str(drain_s))
    body = {"text": "Teddy Roosevelt came to see Harry Potter. " * 40}
    answered: list[int] = []
    failed_at: list[float] = []
    under_way = threading.Semaphore(0)

    def client() -> None:
        while True:
            begun_at = time.monotonic()
            try:
                answered.append(server.post(body).status)
            except (OSError, EOFError):
                failed_at.append(begun_at)
                return
            under_way.release()

    clients = [threading.Thread(target=client) for _ in range(16)]
    for thread in clients:
        thread.start()
    for _ in range(32):
        assert under_way.acquire(timeout=60)
    stopped_at = time.monotonic()
    status = server.stop()
    for thread in clients:
        thread.join()
    assert (status, set(answered)) == (0, {200})
    assert min(failed_at) > stopped_at + drain_s / 2


def test_a_request_on_its_way_is_answered_after_sigterm(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1")
    data = json.dumps({"text": "Teddy Roosevelt came."}).encode()
    head = f"POST /v1/tag HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(head.encode() + data[:5])
        while server.get("/readyz").status != 200:
            pass
        server.process.send_signal(signal.SIGTERM)
        while "Handling signal: term" not in server.log:
            pass
        connection.sendall(data[5:])
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
    assert server.stop() == 0


def test_probes_answer_and_slow_clients_are_ended_when_every_thread_is_held(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", "--threads", "2", "--read-timeout-s", "1.5")
    stalled = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(4)]
    try:
        for connection in stalled:
            connection.sendall(b"POST /v1/tag HTTP/1.1\r\nHost: x\r\n")
        assert server.get("/readyz").status == 200
        assert server.get("/healthz").status == 200
        # Served as soon as those that send nothing more were given up.
        assert server.post({"text": "Teddy Roosevelt came."}).status == 200
    finally:
        for connection in stalled:
            connection.close()


@pytest.mark.parametrize("flag", ["--port", "--ops-port"])
def test_a_taken_port_is_said_before_models_are_looked_at(tmp_path: Path, flag: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(flag, str(port), "--models", str(tmp_path / "none"))
    assert done.returncode == 1
    assert done.stderr == (
        f"seqserve: The server cannot listen at port {port} of 127.0.0.1: it is in use by another program.\n"
    )


def test_a_worker_that_is_told_to_stop_while_it_starts_does(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", script=("-m", "tests.live.early_server"))
    # The first one would serve for ever, and be the only one, had the signal been lost.
    assert wait_until(lambda: server.log.count("Booting worker") == 2 and len(server.workers) == 1, 60.0), server.log
    assert server.post(FINE).status == 200
