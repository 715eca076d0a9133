"""Outputs that fail: a full disk, a closed descriptor, a reader that goes away or never reads cost lines only."""

import fcntl
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.faults.clients import wait_until
from tests.live.problems import FINE
from tests.live.served import Served, start

REDIRECTED = """
import os, sys
number, target, *words = sys.argv[1:]
if target == "closed":
    os.close(int(number))
else:
    os.dup2(os.open(target, os.O_WRONLY), int(number))
os.execv(sys.executable, [sys.executable, "-m", "service", *words])
"""
SMALL_QUEUE = """
import os, sys
from seqserve.service.__main__ import main
from seqserve.service.metrics import logs
target, *words = sys.argv[1:]
os.dup2(os.open(target, os.O_WRONLY), 1)
logs._access._max_lines = 50
sys.exit(main(words))
"""
FAR_S = 30.0

Serve = Callable[..., Served]


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A named pipe of 4 KiB, and the test's end of it, which reads nothing by itself."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    yield path, reader
    os.close(reader)


def dropped(server: Served, log: str = "access") -> float:
    """Lines of a log that were dropped, by the metrics."""
    text = server.get("/metrics").body.decode()
    found = re.search(rf'^seqserve_log_lines_dropped_total{{log="{log}"}} (\S+)$', text, re.MULTILINE)
    assert found, text
    return float(found[1])


def redirected(descriptor: int, target: object) -> tuple[str, ...]:
    """Return the command of a server one of whose outputs goes somewhere else."""
    return ("-c", REDIRECTED, str(descriptor), str(target))


@pytest.mark.parametrize("target", ["/dev/full", "closed"])
def test_requests_are_answered_though_no_access_line_can_be_written(serve: Serve, target: str) -> None:
    server = serve("--workers", "2", "--access-log", "on", script=redirected(1, target))
    assert [server.post(FINE).status for _ in range(20)] == [200] * 20
    assert [server.get(path).status for path in ("/healthz", "/readyz", "/v1/models")] == [200] * 3
    assert wait_until(lambda: dropped(server) > 0, FAR_S)
    assert server.stop() == 0
    assert "Traceback" not in server.log


def test_requests_are_answered_after_the_reader_of_the_access_log_has_gone(
    serve: Serve, fifo: tuple[Path, int]
) -> None:
    path, reader = fifo
    server = serve("--workers", "2", "--access-log", "on", script=redirected(1, path))
    assert server.post(FINE).status == 200
    lines: list[bytes] = []

    def has_read() -> bool:
        try:
            lines.append(os.read(reader, 65536))
        except BlockingIOError:
            return False
        return b"\n" in lines[-1]

    assert wait_until(has_read, FAR_S)
    os.dup2(os.open(os.devnull, os.O_RDONLY), reader)  # as `head -1` does
    assert [server.post(FINE).status for _ in range(20)] == [200] * 20
    assert wait_until(lambda: dropped(server) > 0, FAR_S)


def test_requests_are_answered_while_nobody_reads_the_access_log(serve: Serve, fifo: tuple[Path, int]) -> None:
    path, reader = fifo
    server = serve("--workers", "1", "--access-log", "on", script=("-c", SMALL_QUEUE, str(path)))
    assert {server.get("/healthz").status for _ in range(400)} == {200}
    assert dropped(server) > 250  # the others are in the queue, the pipe, and on their way between them
    assert server.get("/readyz").status == 200
    assert server.stop() == 0
    assert os.read(reader, 64).startswith(b'{"time":')


def test_the_master_replaces_workers_while_nobody_reads_standard_error(tmp_path: Path, fifo: tuple[Path, int]) -> None:
    path, reader = fifo
    words = ("--workers", "2", "--drain-s", "0")
    server = start(tmp_path / "log", *words, script=redirected(2, path))
    try:
        read: list[bytes] = []

        def is_listening() -> bool:
            try:
                read.append(os.read(reader, 65536))
            except BlockingIOError:
                return False
            return b"Listening at" in b"".join(read)

        assert wait_until(is_listening, FAR_S)
        found = re.search(rb"Listening at: http://[^:]+:(\d+)", b"".join(read))
        assert found
        server.port = int(found[1])
        fill(path)
        for _ in range(3):
            assert server.get("/readyz").status == 200
            assert wait_until(lambda: len(server.workers) == 2, FAR_S)
            victim = server.workers[0]
            os.kill(victim, signal.SIGKILL)
            assert wait_until(lambda victim=victim: len(set(server.workers) - {victim}) == 2, FAR_S)  # type: ignore[misc]
        assert server.post(FINE).status == 200
    finally:
        assert server.stop() == 0


def fill(path: Path) -> None:
    """Fill a named pipe, so that the next byte would have to wait."""
    writer = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    try:
        while True:
            os.write(writer, b"x")
    except BlockingIOError:
        os.close(writer)
