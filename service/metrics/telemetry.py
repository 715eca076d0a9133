"""Count for Prometheus: each process counts in its own part of a memory that all processes can read.

A cell's index is known before its addition. The interpreter changes threads only at calls and at jumps backwards, so
that such an addition is whole. Series that threads of graphs write have a lock besides.
"""

import threading
from bisect import bisect_left
from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST

from seqserve.service.metrics.definitions import LOG_NAMES, METRICS, SECONDS, LogName, metric_of
from seqserve.service.metrics.exposition import exposed
from seqserve.service.metrics.shared_values import Reading, Region, Series, SharedValues


class Telemetry:
    """The metrics of one server, or of one process when there are no shared values."""

    def __init__(self, values: SharedValues | None = None) -> None:
        self._values = values
        self._use(values.master if values else Region())

    def bind(self, slot: int) -> None:
        """Count for a slot's worker from now on; to be called in the worker, right after the fork."""
        assert self._values is not None
        self._use(self._values.worker(slot))

    def retire(self, slot: int) -> None:
        """Keep the counters of a worker that has ended and forget its gauges; to be called in the master."""
        assert self._values is not None
        self._values.retire(slot, lasts=_lasts)

    def count_request(self, route: str, model: str, status: int, seconds: dict[str, float]) -> None:
        """Count an answered request; `seconds` has queue, compute and total."""
        cells, starts = self._cells, self._starts
        cells[starts["requests"][route, model, status]] += 1
        for part, value in seconds.items():
            if part == "total" or seconds["compute"]:  # a request that ran no graph has not waited for one
                start = starts[f"{part}_seconds"][(route,)]
                cells[start + bisect_left(SECONDS, value)] += 1
                cells[start + len(SECONDS) + 1] += value

    def count_rejected(self, code: str) -> None:
        """Count a request that got an error instead of a result."""
        self._cells[self._starts["rejected"][(code,)]] += 1

    def count_tokens(self, model: str, num_tokens: int, *, kind: str) -> None:
        """Count tokens that a model has worked on."""
        self._cells[self._starts[f"tokens_{kind}"][(model,)]] += num_tokens

    def count_dropped_lines(self, log: LogName, num_lines: int) -> None:
        """Count lines that a log has lost."""
        self._cells[self._starts["log_lines_dropped"][(log,)]] += num_lines

    def set_model(self, name: str, version: str, task: str) -> None:
        """Note that this process serves a model."""
        self._cells[self._starts["model_info"][name, version, task]] = 1.0

    def set_queue_tokens(self, model: str, num_tokens: int) -> None:
        """Note how many tokens a model's queue holds now."""
        self._cells[self._starts["queue_tokens"][(model,)]] = float(num_tokens)

    def set_process(self, *, resident_bytes: int, num_connections: int) -> None:
        """Note the memory and the connections of this process now."""
        self._cells[self._starts["resident_bytes"][()]] = float(resident_bytes)
        self._cells[self._starts["connections"][()]] = float(num_connections)

    def sample_counter(self, model: str) -> Callable[[int, int], None]:
        """Return the function to which a model's decoder reports (see Decoder.report)."""
        cells, lock = self._cells, threading.Lock()
        tokens, active = self._starts["tokens_sampled"][(model,)], self._starts["active_samples"][(model,)]

        def count(num_tokens: int, num_active: int) -> None:
            with lock:
                cells[tokens] += num_tokens
            cells[active] = float(num_active)

        return count

    def batch_counter(self, model: str) -> Callable[[int, int, int], None]:
        """Return the function to which a model's batcher reports (see Batcher.report)."""
        cells, lock = self._cells, threading.Lock()
        series = [
            (self._starts[name][(model,)], METRICS[name].bounds, METRICS[name].width - 1)
            for name in ("batch_rows", "padding_waste")
        ]

        def count(num_rows: int, num_tokens: int, num_padded: int) -> None:
            with lock:
                for (start, bounds, last), value in zip(series, (num_rows, 1 - num_tokens / num_padded), strict=True):
                    cells[start + bisect_left(bounds, value)] += 1
                    cells[start + last] += value

        return count

    def render(self) -> tuple[bytes, str]:
        """Return the metrics of all workers as Prometheus text, with its content type; any thread may call this."""
        return exposed(self._read()), CONTENT_TYPE_LATEST

    def _read(self) -> list[Reading]:
        return self._values.read() if self._values else [self._region.read()]

    def _use(self, region: Region) -> None:
        region.take()
        self._region, self._cells = region, region.cells
        self._starts = {name: _Starts(region, name) for name in METRICS}
        for log in LOG_NAMES:
            self.count_dropped_lines(log, 0)


class _Starts(dict[tuple[str | int, ...], int]):
    """The first cell of each series of a metric, by its labels; a series is made when it is first asked for."""

    def __init__(self, region: Region, name: str) -> None:
        super().__init__()
        self._region = region
        self._metric = METRICS[name]

    def __missing__(self, labels: tuple[str | int, ...]) -> int:
        start = self._region.find(self._metric.name, tuple(map(str, labels)), self._metric.width)
        self[labels] = start
        return start


def _lasts(series: Series) -> bool:
    metric = metric_of(series)
    return metric is not None and metric.lasts
