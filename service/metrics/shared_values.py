"""Share numbers in memory: each process of a server counts its own, and every process can read all.

The memory belongs to no file: no disk can be too full for it, no folder can be deleted, and nothing of it stays when
the last process has ended. It is made before the fork. Untouched pages take no memory.
"""

import math
import mmap
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import msgspec

_NUM_CELLS = 32 * 1024
_NAMES_BYTES = 1536 * 1024
_HEAD_BYTES = 4096  # keeps what follows aligned to pages
_REGION_BYTES = _HEAD_BYTES + 8 * _NUM_CELLS + _NAMES_BYTES
_SINK_CELLS = 64
"""Cells before the first series; a series that found no room counts there unread."""
_PROCESS, _NAMES_END, _DROPPED = 0, 1, 2  # uint64 each, at the start of a region
_MOST_LOOKS = 200
_LOOK_S = 0.001

Memory = mmap.mmap | bytearray


class Series(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A series, as one JSON line in the names area of a region; its numbers are in `width` cells from `start` on."""

    metric: str
    labels: tuple[str, ...]
    start: int
    width: int


class Reading(msgspec.Struct, frozen=True):
    """The content of one region; `num_dropped` is the number of series that found no room."""

    process_id: int
    num_dropped: int
    series: Sequence[tuple[Series, Sequence[float]]]


_DECODER = msgspec.json.Decoder(Series)


class Region:
    """The numbers of one process, which is their only writer: float64 cells, and the names of their series.

    A reader may read at any time: stores of 8 aligned bytes are whole, and a name is complete before it is counted.
    """

    def __init__(self, memory: Memory | None = None, offset: int = 0) -> None:
        view = memoryview(bytearray(_REGION_BYTES) if memory is None else memory)[offset : offset + _REGION_BYTES]
        self._head = view[:_HEAD_BYTES].cast("Q")
        self.cells = view[_HEAD_BYTES : _HEAD_BYTES + 8 * _NUM_CELLS].cast("d")
        self._names = view[_HEAD_BYTES + 8 * _NUM_CELLS :]
        self._lock = threading.Lock()
        self._starts: dict[tuple[str, tuple[str, ...]], int] = {}
        self._next = _SINK_CELLS

    def take(self) -> None:
        """Make this process the writer of the region, which is empty afterwards."""
        self.clear()
        self._lock = threading.Lock()  # a thread of the parent may hold the old lock
        self._head[_PROCESS] = os.getpid()

    def clear(self) -> None:
        """Forget everything; cells are emptied when a series takes them."""
        self._head[_NAMES_END] = 0
        self._head[_PROCESS] = 0
        self._head[_DROPPED] = 0
        self._starts, self._next = {}, _SINK_CELLS

    def find(self, metric: str, labels: tuple[str, ...], width: int = 1) -> int:
        """Return the first cell of a series, and make the series if it is new; never raises.

        Without room the cell is one of those that are not read, and the series is counted as dropped.
        """
        with self._lock:
            start = self._starts.get((metric, labels))
            if start is None:
                start = self._starts[metric, labels] = self._add(metric, labels, width)
            return start

    def _add(self, metric: str, labels: tuple[str, ...], width: int) -> int:
        name = msgspec.json.encode(Series(metric, labels, self._next, width)) + b"\n"
        begin = self._head[_NAMES_END]
        end = begin + len(name)
        if self._next + width > _NUM_CELLS or end > len(self._names):
            self._head[_DROPPED] += 1
            return 0
        start, self._next = self._next, self._next + width
        for cell in range(start, start + width):
            self.cells[cell] = 0.0
        self._names[begin:end] = name
        self._head[_NAMES_END] = end  # last: from now on readers see the series
        return start

    @property
    def is_empty(self) -> bool:
        """Whether no process has written here since the region was cleared."""
        return not (self._head[_PROCESS] or self._head[_NAMES_END])

    def add_dropped(self, num_series: int) -> None:
        """Count series of another region that found no room there."""
        self._head[_DROPPED] += num_series

    def read(self) -> Reading:
        """Return the current content, without a name that a dying process has left half written."""
        end = min(self._head[_NAMES_END], len(self._names))
        num_dropped = min(self._head[_DROPPED], _NAMES_BYTES)
        found = list(_decode(bytes(self._names[:end])))
        last = max((series.start + series.width for series in found), default=0)
        numbers: Sequence[float] = self.cells[:last].tolist()  # not all cells: a page takes memory once it is read
        series_numbers = [(series, numbers[series.start : series.start + series.width]) for series in found]
        return Reading(self._head[_PROCESS], num_dropped, series_numbers)


def _decode(names: bytes) -> Iterator[Series]:
    for line in names.splitlines():
        try:
            series = _DECODER.decode(line)
        except (msgspec.MsgspecError, ValueError):  # torn
            continue
        if _SINK_CELLS <= series.start < series.start + series.width <= _NUM_CELLS:
            yield series


class SharedValues:
    """A region for each worker's slot, one for the master, and one for the sums of workers that have ended.

    Made by the master before it forks. Takes about 1.8 MB of address space a region.
    """

    def __init__(self, num_slots: int) -> None:
        memory = mmap.mmap(-1, _HEAD_BYTES + (num_slots + 2) * _REGION_BYTES)
        self._control = memoryview(memory)[:_HEAD_BYTES].cast("Q")  # odd while the master moves numbers
        regions = [Region(memory, _HEAD_BYTES + place * _REGION_BYTES) for place in range(num_slots + 2)]
        self._ended, self.master, self._workers = regions[0], regions[1], regions[2:]

    def worker(self, slot: int) -> Region:
        """Return the region of a worker's slot."""
        return self._workers[slot]

    def retire(self, slot: int, *, lasts: Callable[[Series], bool]) -> None:
        """Add the numbers of a worker that has ended to the sums, and clear its region; called by the master.

        lasts: whether a series is well formed and its numbers stay. No content of the region makes this raise.
        """
        region = self._workers[slot]
        if region.is_empty:
            return
        left = region.read()
        self._control[0] += 1
        try:
            for series, numbers in left.series:
                if lasts(series):
                    self._add(series, numbers)
            self._ended.add_dropped(left.num_dropped)
            region.clear()
        finally:
            self._control[0] += 1

    def _add(self, series: Series, numbers: Sequence[float]) -> None:
        start = self._ended.find(series.metric, series.labels, series.width)
        for place, number in enumerate(numbers):
            if math.isfinite(number) and number > 0:
                self._ended.cells[start + place] += number

    def read(self) -> list[Reading]:
        """Return the content of all regions, with the sums of processes that have ended.

        A number that the master moves meanwhile is neither missing nor counted twice.
        """
        readings: list[Reading] = []
        for _ in range(_MOST_LOOKS):  # bounded, because the master may be killed while it moves numbers
            before = self._control[0]
            if before % 2 == 0:
                readings = self._read()
                if self._control[0] == before:
                    return readings
            time.sleep(_LOOK_S)
        return self._read()

    def _read(self) -> list[Reading]:
        living = [region.read() for region in (self.master, *self._workers) if not region.is_empty]
        return [self._ended.read(), *living]
