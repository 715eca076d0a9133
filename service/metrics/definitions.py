"""Define every metric: its name, kind, help text and labels, in the order of `/metrics`."""

from dataclasses import dataclass
from typing import Literal

from seqserve.service.kinds import KINDS
from seqserve.service.metrics.shared_values import Series

LogName = Literal["access", "error"]
Kind = Literal["counter", "histogram", "sum", "max", "each"]
"""The last three are gauges: summed over the workers, their largest value, or one value a worker (label `pid`)."""

TOKEN_KINDS = tuple(name for kind in KINDS.values() for name in kind.counters)
LOG_NAMES: tuple[LogName, ...] = ("access", "error")

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
ROWS = (1.0, 2.0, 4.0, 8.0, 12.0, 16.0)
WASTE = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)


@dataclass(frozen=True)
class Metric:
    """One metric; `bounds` are a histogram's upper limits, each included, without the infinite one."""

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        """The cells of a series: for a histogram its counts, one more beyond the last limit, and the sum."""
        return len(self.bounds) + 2 if self.bounds else 1

    @property
    def lasts(self) -> bool:
        """Whether the numbers of a process stay after the process has ended."""
        return self.kind in ("counter", "histogram")


_METRICS = (
    Metric("requests", "counter", "Requests answered.", ("route", "model", "status")),
    Metric("queue_seconds", "histogram", "Time before the first row of a request ran.", ("route",), SECONDS),
    Metric("compute_seconds", "histogram", "Time from the first run to the last answer.", ("route",), SECONDS),
    Metric("total_seconds", "histogram", "Time from arrival to answer.", ("route",), SECONDS),
    *(Metric(f"tokens_{kind}", "counter", f"Tokens {kind}.", ("model",)) for kind in TOKEN_KINDS),
    Metric("rejected", "counter", "Requests that got no result, by error code.", ("code",)),
    Metric("batch_rows", "histogram", "Rows that ran together.", ("model",), ROWS),
    Metric("padding_waste", "histogram", "Share of a batch that was padding.", ("model",), WASTE),
    Metric("queue_tokens", "sum", "Tokens admitted and not answered.", ("model",)),
    Metric("active_samples", "sum", "Samples that are being drawn now.", ("model",)),
    Metric("resident_bytes", "each", "Resident memory of a process."),
    Metric("connections", "sum", "Open connections."),
    Metric("model_info", "max", "Models that are served, 1 each.", ("model", "version", "task")),
    Metric("log_lines_dropped", "counter", "Lines that a log could not take.", ("log",)),
    Metric("series_dropped", "counter", "Series of metrics that found no room."),
)
METRICS = {metric.name: metric for metric in _METRICS}


def metric_of(series: Series) -> Metric | None:
    """Return the metric of a series; None for a series of another form, such as one that a crash has torn."""
    metric = METRICS.get(series.metric)
    fits = metric is not None and (len(series.labels), series.width) == (len(metric.labels), metric.width)
    return metric if fits else None
