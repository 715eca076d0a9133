"""Numbers in memory that processes share: seen at once, kept when a process ends, and safe to read when torn."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable

import pytest

from seqserve.service.metrics.shared_values import Region, Series, SharedValues


def in_child(work: Callable[[], None]) -> int:
    """Run something in a forked process, wait for its end and return its status."""
    process_id = os.fork()
    if process_id == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(process_id, 0)[1]


def count(values: SharedValues, slot: int, number: float, *labels: str) -> None:
    region = values.worker(slot)
    region.take()
    region.cells[region.find("requests", labels)] += number


def sums(values: SharedValues) -> dict[tuple[str, ...], float]:
    found: dict[tuple[str, ...], float] = {}
    for reading in values.read():
        for series, numbers in reading.series:
            found[series.labels] = found.get(series.labels, 0.0) + numbers[0]
    return found


def everything(_: Series) -> bool:
    return True


def test_what_a_child_counts_is_seen_at_once_by_others() -> None:
    values = SharedValues(2)
    there, back = os.pipe(), os.pipe()
    process_id = os.fork()
    if process_id == 0:
        try:
            count(values, 1, 3.0, "a")
            os.write(there[1], b"x")
            os.read(back[0], 1)
        finally:
            os._exit(0)
    try:
        os.read(there[0], 1)
        assert sums(values) == {("a",): 3.0}
        assert [reading.process_id for reading in values.read()] == [0, process_id]
    finally:
        os.write(back[1], b"x")
        os.waitpid(process_id, 0)
        for descriptor in (*there, *back):
            os.close(descriptor)


def test_a_retired_region_is_kept_in_the_sums_and_free_again() -> None:
    values = SharedValues(1)
    for number in (1.0, 2.0, 4.0):
        assert in_child(lambda number=number: count(values, 0, number, "a")) == 0  # type: ignore[misc]
        values.retire(0, lasts=everything)
        values.retire(0, lasts=everything)  # once only
    assert sums(values) == {("a",): 7.0}
    assert len(values.read()) == 1


def test_series_that_do_not_last_go_with_their_process() -> None:
    values = SharedValues(1)
    count(values, 0, 1.0, "stays")
    region = values.worker(0)
    region.cells[region.find("connections", ())] = 9.0
    values.retire(0, lasts=lambda series: series.metric == "requests")
    assert sums(values) == {("stays",): 1.0}


def test_a_worker_that_is_killed_leaves_its_counts() -> None:
    values = SharedValues(1)

    def work() -> None:
        count(values, 0, 5.0, "a")
        os.kill(os.getpid(), signal.SIGKILL)

    assert os.WTERMSIG(in_child(work)) == signal.SIGKILL
    values.retire(0, lasts=everything)
    assert sums(values) == {("a",): 5.0}


def test_the_same_series_has_the_same_cells_and_another_begins_at_zero() -> None:
    region = Region()
    first = region.find("total_seconds", ("/v1/tag",), 16)
    assert region.find("total_seconds", ("/v1/tag",), 16) == first
    region.cells[first + 15] = 2.5
    second = region.find("total_seconds", ("/v1/score",), 16)
    assert second >= first + 16
    region.clear()
    assert region.find("rejected", ("a",), 16) == first
    assert region.cells[first + 15] == 0.0


def test_thirty_thousand_series_fit_and_more_are_dropped_and_counted() -> None:
    region = Region()
    region.take()
    for number in range(40_000):
        region.cells[region.find("requests", ("/v1/tag", f"m{number}", "200"))] += 1
    reading = region.read()
    assert len(reading.series) >= 30_000
    assert reading.num_dropped == 40_000 - len(reading.series)
    assert {numbers[0] for _, numbers in reading.series} == {1.0}


def test_dropped_series_of_a_retired_worker_stay_counted() -> None:
    values = SharedValues(1)
    count(values, 0, 1.0, "a")
    assert values.worker(0).find("requests", ("x" * 2_000_000,)) == 0
    values.retire(0, lasts=everything)
    assert sum(reading.num_dropped for reading in values.read()) == 1


@pytest.mark.parametrize("seed", range(20))
def test_a_region_of_random_bytes_is_read_and_retired_without_an_error(seed: int) -> None:
    source = random.Random(seed)
    values = SharedValues(1)
    count(values, 0, 1.0, "a")
    region = values.worker(0)
    names, head = region._names, region._head
    for place in range(3):
        head[place] = source.choice([1, 100, 2**63 + source.getrandbits(40)])
    for _ in range(200):
        names[source.randrange(300)] = source.randrange(256)
    for cell in range(200):
        region.cells[cell] = source.choice([float("nan"), float("inf"), -1.0, 1e308])
    values.retire(0, lasts=everything)
    assert values.read()


@pytest.mark.parametrize(
    "line",
    [
        b'["requests",["a"],-5,1]',
        b'["requests",["a"],32760,16]',
        b'["requests",["a"],99999999999999999999,1]',
        b'["requests",["a"],70,-3]',
        b'["requests",["a"],70',
        b"\xff\xfe[",
        b"[" * 5000,
    ],
    ids=["negative", "beyond-the-end", "huge", "no-width", "cut", "not-utf-8", "nested"],
)
def test_a_torn_name_is_left_out(line: bytes) -> None:
    region = Region()
    region.take()
    region.find("requests", ("good",))
    end = region._head[1]
    region._names[end : end + len(line) + 1] = line + b"\n"
    region._head[1] = end + len(line) + 1
    assert [series.labels for series, _ in region.read().series] == [("good",)]


def test_a_scrape_never_sees_numbers_twice_while_they_are_moved() -> None:
    values = SharedValues(1)
    region = values.worker(0)
    region.take()
    for label in ("moved", "next"):
        region.cells[region.find("requests", (label,))] += 1
    seen: list[float] = []
    reader = threading.Thread(target=lambda: seen.append(sums(values)["moved",]))

    def lasts(series: Series) -> bool:
        if series.labels == ("next",):  # by now the other is in the sums and in the region
            reader.start()
            reader.join(0.02)
        return True

    values.retire(0, lasts=lasts)
    reader.join()
    assert seen == [1.0]


def test_numbers_are_given_though_the_master_died_while_it_moved_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    values = SharedValues(1)
    count(values, 0, 1.0, "a")
    values._control[0] += 1
    assert sums(values) == {("a",): 1.0}


def test_threads_that_add_the_same_series_get_the_same_cells() -> None:
    region = Region()
    starts: list[list[int]] = [[] for _ in range(4)]

    def add(mine: list[int]) -> None:
        mine.extend(region.find("requests", (str(number),)) for number in range(500))

    threads = [threading.Thread(target=add, args=(mine,)) for mine in starts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(mine == starts[0] for mine in starts)
    assert len(set(starts[0])) == 500
