"""Numbers for Prometheus, right over all workers: each writes files of one directory, any of them reads all."""

import os
from typing import Any, Literal, get_args

from service.metrics.metric_files import DIRECTORY_VARIABLE

TokenKind = Literal["tagged", "scored", "sampled", "classified", "transduced"]

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_ROWS = (1, 2, 4, 8, 12, 16)
_WASTE = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
_PARTS = {
    "queue": "Time before the first row of a request ran.",
    "compute": "Time from the first run to the last answer.",
    "total": "Time from arrival to answer.",
}


class Telemetry:
    """The metrics of one app. What is counted often keeps its series at hand: finding takes longer than counting."""

    def __init__(self) -> None:
        import prometheus_client  # late: it decides on import whether values live in files

        self._client = prometheus_client
        self._registry = prometheus_client.CollectorRegistry()
        self._requests = self._counter("requests", "Requests answered.", "route", "model", "status")
        self._seconds = {part: self._histogram(f"{part}_seconds", _PARTS[part], _SECONDS, "route") for part in _PARTS}
        self._tokens = {
            kind: self._counter(f"tokens_{kind}", f"Tokens {kind}.", "model") for kind in get_args(TokenKind)
        }
        self._rejected = self._counter("rejected", "Requests that got no result, by error code.", "code")
        self._batch_rows = self._histogram("batch_rows", "Rows that ran together.", _ROWS, "model")
        self._waste = self._histogram("padding_waste", "Share of a batch that was padding.", _WASTE, "model")
        self._queue_tokens = self._gauge("queue_tokens", "Tokens admitted and not answered.", "livesum", "model")
        self._active = self._gauge("active_samples", "Samples that are being drawn now.", "livesum", "model")
        self._memory = self._gauge("resident_bytes", "Resident memory of a process.", "liveall")
        self._connections = self._gauge("connections", "Open connections.", "livesum")
        self._info = self._gauge("model_info", "Models that are served, 1 each.", "livemax", "model", "version", "task")
        self._requests_of: dict[tuple[str, str, int], Any] = {}
        self._rejected_of: dict[str, Any] = {}
        self._seconds_of: dict[str, dict[str, Any]] = {}

    def count_request(self, route: str, model: str, status: int, seconds: dict[str, float]) -> None:
        """Count an answered request; `seconds` has queue, compute and total."""
        key = (route, model, status)
        if key not in self._requests_of:
            self._requests_of[key] = self._requests.labels(route, model, str(status))
        self._requests_of[key].inc()
        if route not in self._seconds_of:
            self._seconds_of[route] = {part: metric.labels(route) for part, metric in self._seconds.items()}
        for part, value in seconds.items():
            if part == "total" or seconds["compute"]:  # what ran no graph has not waited for one
                self._seconds_of[route][part].observe(value)

    def count_rejected(self, code: str) -> None:
        """Count a request that got an error instead of a result."""
        if code not in self._rejected_of:
            self._rejected_of[code] = self._rejected.labels(code)
        self._rejected_of[code].inc()

    def count_tokens(self, model: str, num_tokens: int, *, kind: TokenKind) -> None:
        """Count tokens that a model has worked on."""
        self._tokens[kind].labels(model).inc(num_tokens)

    def set_model(self, name: str, version: str, task: str) -> None:
        """Say that this process serves a model."""
        self._info.labels(name, version, task).set(1)

    def set_queue_tokens(self, model: str, num_tokens: int) -> None:
        """Say how many tokens a model's queue holds now."""
        self._queue_tokens.labels(model).set(num_tokens)

    def set_process(self, *, resident_bytes: int, num_connections: int) -> None:
        """Say what this process holds now."""
        self._memory.set(resident_bytes)
        self._connections.set(num_connections)

    def sampling(self, model: str) -> "SamplingTelemetry":
        """Return what a model's decoder reports to."""
        return SamplingTelemetry(self._tokens["sampled"].labels(model), self._active.labels(model))

    def batches(self, model: str) -> "BatchTelemetry":
        """Return what a model's batcher reports to."""
        return BatchTelemetry(self._batch_rows.labels(model), self._waste.labels(model))

    def render(self) -> tuple[bytes, str]:
        """Return the metrics of all workers as Prometheus text, with its content type."""
        registry: Any = self._registry
        if os.environ.get(DIRECTORY_VARIABLE):
            from prometheus_client.multiprocess import MultiProcessCollector

            registry = self._client.CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return self._client.generate_latest(registry), self._client.CONTENT_TYPE_LATEST

    def _counter(self, name: str, text: str, *labels: str) -> Any:
        return self._client.Counter(f"seqserve_{name}", text, labels, registry=self._registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Any:
        return self._client.Histogram(f"seqserve_{name}", text, labels, registry=self._registry, buckets=buckets)

    def _gauge(self, name: str, text: str, mode: Any, *labels: str) -> Any:
        return self._client.Gauge(f"seqserve_{name}", text, labels, registry=self._registry, multiprocess_mode=mode)


class SamplingTelemetry:
    """Sampling of one model: tokens drawn and samples that hold a slot."""

    def __init__(self, tokens: Any, active: Any) -> None:
        self._tokens = tokens
        self._active = active

    def count_sampled(self, num_tokens: int) -> None:
        """Count the tokens of a run."""
        self._tokens.inc(num_tokens)

    def set_active_samples(self, num_samples: int) -> None:
        """Say how many samples hold a slot now."""
        self._active.set(num_samples)


class BatchTelemetry:
    """Batches of one model: their rows, and the share of them that was padding."""

    def __init__(self, rows: Any, waste: Any) -> None:
        self._rows = rows
        self._waste = waste

    def count_batch(self, num_rows: int, num_tokens: int, num_padded: int) -> None:
        """Count a batch."""
        self._rows.observe(num_rows)
        self._waste.observe(1 - num_tokens / num_padded)
