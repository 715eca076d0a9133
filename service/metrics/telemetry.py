"""Numbers for Prometheus, right over all workers: each counts in memory of its own that any of them can read.

The interpreter changes threads at calls and at jumps backwards only, so that an addition to a cell, whose index is
known by then, is never cut in two. Series that threads of graphs write have a lock besides.
"""

import threading
from bisect import bisect_left

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from seqserve.service.metrics.definitions import LOG_NAMES, METRICS, SECONDS, TOKEN_KINDS, LogName, metric_of
from seqserve.service.metrics.exposition import metrics_registry
from seqserve.service.metrics.shared_values import Reading, Region, Series, SharedValues

_PARTS = ("queue", "compute", "total")


class Telemetry:
    """The metrics of one server, or of one process when there are no shared values."""

    def __init__(self, values: SharedValues | None = None) -> None:
        self._values = values
        self._region = values.master if values else Region()
        self._registry = metrics_registry(self._read)
        self._use(self._region)

    def bind(self, slot: int) -> None:
        """Count for a slot's worker from now on; to be called in the worker, right after the fork."""
        assert self._values is not None
        self._use(self._values.worker(slot))

    def retire(self, slot: int) -> None:
        """Keep what a worker that has ended had counted and forget what it held; to be called in the master."""
        assert self._values is not None
        self._values.retire(slot, lasts=_lasts)

    def count_request(self, route: str, model: str, status: int, seconds: dict[str, float]) -> None:
        """Count an answered request; `seconds` has queue, compute and total."""
        cells = self._cells
        cells[self._requests[route, model, status]] += 1
        for part, value in seconds.items():
            if part == "total" or seconds["compute"]:  # what ran no graph has not waited for one
                start = self._seconds[part][(route,)]
                cells[start + bisect_left(SECONDS, value)] += 1
                cells[start + len(SECONDS) + 1] += value

    def count_rejected(self, code: str) -> None:
        """Count a request that got an error instead of a result."""
        self._cells[self._rejected[(code,)]] += 1

    def count_tokens(self, model: str, num_tokens: int, *, kind: str) -> None:
        """Count tokens that a model has worked on."""
        self._cells[self._tokens[kind][(model,)]] += num_tokens

    def count_dropped_lines(self, log: LogName, num_lines: int) -> None:
        """Count lines that a log could not take."""
        self._cells[self._dropped_lines[(log,)]] += num_lines

    def set_model(self, name: str, version: str, task: str) -> None:
        """Say that this process serves a model."""
        self._cells[self._info[name, version, task]] = 1.0

    def set_queue_tokens(self, model: str, num_tokens: int) -> None:
        """Say how many tokens a model's queue holds now."""
        self._cells[self._queue_tokens[(model,)]] = float(num_tokens)

    def set_process(self, *, resident_bytes: int, num_connections: int) -> None:
        """Say what this process holds now."""
        self._cells[self._memory[()]] = float(resident_bytes)
        self._cells[self._connections[()]] = float(num_connections)

    def sampling(self, model: str) -> "SamplingTelemetry":
        """Return what a model's decoder reports to."""
        return SamplingTelemetry(self._cells, self._tokens["sampled"][(model,)], self._active[(model,)])

    def batches(self, model: str) -> "BatchTelemetry":
        """Return what a model's batcher reports to."""
        return BatchTelemetry(self._cells, self._batch_rows[(model,)], self._waste[(model,)])

    def render(self) -> tuple[bytes, str]:
        """Return the metrics of all workers as Prometheus text, with its content type; any thread may call this."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def _read(self) -> list[Reading]:
        return self._values.read() if self._values else [self._region.read()]

    def _use(self, region: Region) -> None:
        region.take()
        self._region, self._cells = region, region.cells
        self._requests = _Starts(region, "requests")
        self._seconds = {part: _Starts(region, f"{part}_seconds") for part in _PARTS}
        self._tokens = {kind: _Starts(region, f"tokens_{kind}") for kind in TOKEN_KINDS}
        self._rejected = _Starts(region, "rejected")
        self._batch_rows, self._waste = _Starts(region, "batch_rows"), _Starts(region, "padding_waste")
        self._queue_tokens, self._active = _Starts(region, "queue_tokens"), _Starts(region, "active_samples")
        self._memory, self._connections = _Starts(region, "resident_bytes"), _Starts(region, "connections")
        self._info = _Starts(region, "model_info")
        self._dropped_lines = _Starts(region, "log_lines_dropped")
        for log in LOG_NAMES:
            self.count_dropped_lines(log, 0)


class SamplingTelemetry:
    """Sampling of one model: tokens drawn and samples that hold a slot."""

    def __init__(self, cells: "memoryview[float]", tokens: int, active: int) -> None:
        self._cells, self._tokens, self._active = cells, tokens, active
        self._lock = threading.Lock()

    def count_sampled(self, num_tokens: int) -> None:
        """Count the tokens of a run."""
        with self._lock:
            self._cells[self._tokens] += num_tokens

    def set_active_samples(self, num_samples: int) -> None:
        """Say how many samples hold a slot now."""
        self._cells[self._active] = float(num_samples)


class BatchTelemetry:
    """Batches of one model: their rows, and the share of them that was padding."""

    def __init__(self, cells: "memoryview[float]", rows: int, waste: int) -> None:
        self._cells, self._rows, self._waste = cells, rows, waste
        self._row_bounds, self._waste_bounds = METRICS["batch_rows"].bounds, METRICS["padding_waste"].bounds
        self._lock = threading.Lock()

    def count_batch(self, num_rows: int, num_tokens: int, num_padded: int) -> None:
        """Count a batch."""
        with self._lock:
            self._observe(self._rows, self._row_bounds, float(num_rows))
            self._observe(self._waste, self._waste_bounds, 1 - num_tokens / num_padded)

    def _observe(self, start: int, bounds: tuple[float, ...], value: float) -> None:
        self._cells[start + bisect_left(bounds, value)] += 1
        self._cells[start + len(bounds) + 1] += value


class _Starts(dict[tuple[str | int, ...], int]):
    """The first cell of each series of a metric, by its labels; made when it is first asked for."""

    def __init__(self, region: Region, name: str) -> None:
        super().__init__()
        self._region = region
        self._metric = METRICS[name]

    def __missing__(self, labels: tuple[str | int, ...]) -> int:
        start = self._region.find(self._metric.name, tuple(map(str, labels)), self._metric.width)
        self[labels] = start
        return start


def _lasts(series: Series) -> bool:
    metric = metric_of(series.metric, num_labels=len(series.labels), width=series.width)
    return metric is not None and metric.lasts
