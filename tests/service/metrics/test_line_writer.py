"""Lines to descriptors that work, fail, stall, or are not there."""

import fcntl
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seqserve.service.metrics.line_writer import LineWriter

Make = Callable[..., LineWriter]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Make writers that end with the test."""
    monkeypatch.setattr(LineWriter, "pause_s", 0.01)
    made: list[LineWriter] = []

    def make(descriptor: int | None, **given: float) -> LineWriter:
        made.append(LineWriter(descriptor, **given))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for writer in made:
        writer.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe that holds 4 KiB; what a test has not closed is closed."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    yield reader, writer
    for descriptor in (reader, writer):
        try:
            os.close(descriptor)
        except OSError:
            continue


def read_until_idle(reader: int, writer: LineWriter) -> bytes:
    """Read until everything that was put has been written."""
    found: list[bytes] = []
    os.set_blocking(reader, False)
    while not writer.flush(0.0):
        try:
            found.append(os.read(reader, 65536))
        except BlockingIOError:
            time.sleep(0.001)
    while True:
        try:
            found.append(os.read(reader, 65536))
        except BlockingIOError:
            return b"".join(found)


def test_lines_come_out_whole_and_in_order(make: Make, tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        writer = make(file.fileno(), gather_s=0.01, linger_s=5.0)
        for number in range(3_000):
            writer.put(b"line %d" % number)
        assert writer.flush(5.0)
    assert (tmp_path / "log").read_bytes().split(b"\n") == [*(b"line %d" % number for number in range(3_000)), b""]
    assert writer.num_dropped == 0


def test_a_line_longer_than_a_pipe_holds_is_finished(make: Make, pipe: tuple[int, int]) -> None:
    writer = make(pipe[1])
    writer.put(b"x" * 50_000)
    writer.put(b"y")
    assert read_until_idle(pipe[0], writer) == b"x" * 50_000 + b"\ny\n"


def test_a_pipe_that_does_not_block_is_waited_for(make: Make, pipe: tuple[int, int]) -> None:
    os.set_blocking(pipe[1], False)
    writer = make(pipe[1])
    for _ in range(3):
        writer.put(b"x" * 6_000)
    assert read_until_idle(pipe[0], writer) == (b"x" * 6_000 + b"\n") * 3


def test_a_reader_that_stalls_costs_lines_and_no_time(make: Make, pipe: tuple[int, int]) -> None:
    writer = make(pipe[1], max_lines=10)
    for _ in range(200):
        writer.put(b"x" * 1_000)
    assert writer.num_dropped >= 200 - 10 - 8
    assert not writer.flush(0.01)
    read_until_idle(pipe[0], writer)


def test_the_queue_is_bounded_by_bytes_too(make: Make, pipe: tuple[int, int]) -> None:
    writer = make(pipe[1], max_bytes=10_000)
    for _ in range(200):
        writer.put(b"x" * 1_000)
    assert writer.num_dropped >= 200 - 10 - 4
    writer.put(b"x" * 20_000)
    text = read_until_idle(pipe[0], writer)
    assert set(text.split(b"\n")) == {b"x" * 1_000, b""}


@pytest.mark.parametrize("kind", ["full", "no-reader", "closed"])
def test_a_descriptor_that_fails_costs_lines_and_every_one_is_counted(
    make: Make, pipe: tuple[int, int], kind: str
) -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY) if kind == "full" else pipe[1]
    if kind == "no-reader":
        os.close(pipe[0])
    if kind == "closed":
        os.close(descriptor)
    writer = make(descriptor)
    for _ in range(50):
        writer.put(b"line")
    assert writer.flush(5.0)
    assert writer.num_dropped == 50
    if kind == "full":
        os.close(descriptor)


def test_without_a_descriptor_every_line_is_dropped_and_nothing_starts(make: Make) -> None:
    writer = make(None)
    before = threading.active_count()
    writer.put(b"line")
    assert writer.flush(0.0)
    assert (writer.num_dropped, threading.active_count()) == (1, before)


def test_a_descriptor_that_recovers_gets_lines_again(make: Make, tmp_path: Path) -> None:
    full, file = os.open("/dev/full", os.O_WRONLY), os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    writer = make(full)
    writer.put(b"lost")
    assert writer.flush(5.0)
    os.dup2(file, full)
    writer.put(b"there")
    assert writer.flush(5.0)
    assert (tmp_path / "log").read_bytes() == b"there\n"
    os.close(full)
    os.close(file)


def test_a_failing_descriptor_is_not_tried_all_the_time(
    make: Make, monkeypatch: pytest.MonkeyPatch, pipe: tuple[int, int]
) -> None:
    os.close(pipe[0])
    monkeypatch.setattr(LineWriter, "pause_s", 60.0)
    tries: list[int] = []
    write = os.write
    monkeypatch.setattr(os, "write", lambda number, data: tries.append(number) or write(number, data))
    writer = make(pipe[1])
    writer.put(b"a")
    while not writer.num_dropped:
        time.sleep(0.001)
    for _ in range(1_000):
        writer.put(b"x" * 4_000)
    assert len(tries) == 1
    assert writer.flush(5.0)  # at the end no pause is waited for
    assert writer.num_dropped == 1_001


def test_the_line_after_a_torn_one_begins_on_its_own(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []

    def write(_: int, data: bytes) -> int:
        if len(written) == 1:
            written.append(b"")
            raise OSError("full")
        written.append(data[:3])
        return len(written[-1])

    monkeypatch.setattr(os, "write", write)
    writer = make(99)
    writer.put(b"torn line")
    assert writer.flush(5.0)
    writer.put(b"ab")
    assert writer.flush(5.0)
    assert b"".join(written) == b"tor\nab\n"
    assert writer.num_dropped == 1


def test_lines_of_processes_that_share_a_pipe_do_not_mix(make: Make, pipe: tuple[int, int]) -> None:
    children = []
    for letter in "abc":
        process_id = os.fork()
        if process_id == 0:
            try:
                writer = LineWriter(pipe[1], gather_s=0.001, linger_s=5.0)
                for number in range(300):
                    writer.put(letter.encode() * (1 + number % 300))
                writer.flush(10.0)
            finally:
                os._exit(0)
        children.append(process_id)
    os.close(pipe[1])
    with os.fdopen(os.dup(pipe[0]), "rb") as stream:
        lines = stream.read().split(b"\n")
    for process_id in children:
        os.waitpid(process_id, 0)
    assert len(lines) == 901
    assert all(re.fullmatch(rb"a*|b*|c*", line) for line in lines)


def test_a_child_writes_its_own_lines_and_none_of_its_parent(make: Make, pipe: tuple[int, int]) -> None:
    writer = make(pipe[1], gather_s=5.0, linger_s=5.0)
    writer.put(b"first")
    assert writer.flush(5.0)
    writer.put(b"parent")  # waits in the queue while the process forks
    process_id = os.fork()
    if process_id == 0:
        try:
            writer.put(b"child")
            writer.flush(5.0)
        finally:
            os._exit(0)
    os.waitpid(process_id, 0)
    assert writer.flush(5.0)
    assert sorted(read_until_idle(pipe[0], writer).split(b"\n")) == [b"", b"child", b"first", b"parent"]


def test_a_process_has_no_thread_of_the_writer_when_it_forks(make: Make, tmp_path: Path) -> None:
    before = threading.active_count()
    with (tmp_path / "log").open("wb") as file:
        writer = make(file.fileno())
        for _ in range(100):
            writer.put(b"line")
        writer.settle()
        assert threading.active_count() == before
        writer.put(b"another")
        assert writer.flush(5.0)
    assert (tmp_path / "log").read_bytes().count(b"\n") == 101


def test_an_output_that_stalls_does_not_hold_a_fork(make: Make, pipe: tuple[int, int]) -> None:
    writer = make(pipe[1])
    for _ in range(10):
        writer.put(b"x" * 1_000)
    process_id = os.fork()
    if process_id == 0:
        os._exit(0)
    os.waitpid(process_id, 0)
    assert writer.num_dropped == 0
    assert read_until_idle(pipe[0], writer).count(b"\n") == 10


def test_gathering_does_not_slow_a_full_queue_down(make: Make, pipe: tuple[int, int]) -> None:
    waits: list[float] = []
    writer = make(pipe[1], gather_s=0.01, linger_s=5.0)
    wait_for = writer._changed.wait_for

    def watch(predicate: Callable[[], object], timeout: float | None = None) -> object:
        if timeout == 0.01:
            waits.append(timeout)
        return wait_for(predicate, timeout)

    writer._changed.wait_for = watch  # type: ignore[method-assign, assignment]
    for _ in range(40):
        writer.put(b"x" * 1_000)
    os.set_blocking(pipe[0], False)
    assert read_until_idle(pipe[0], writer).count(b"\n") == 40
    assert len(waits) <= 1


def test_losses_are_reported_with_those_of_before(make: Make) -> None:
    writer = make(None)
    losses: list[int] = []
    writer.put(b"a")
    writer.put(b"b")
    writer.report_drops(losses.append)
    writer.put(b"c")
    assert losses == [2, 1]


def test_lines_are_dropped_when_no_thread_can_be_started(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    writer = make(1)
    writer.put(b"a")
    assert writer.flush(0.0)
    assert writer.num_dropped == 1
