"""Numbers for Prometheus, right over all workers: each writes files of one directory, any of them reads all."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Literal, get_args

from service.scratch import scratch_directory

DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "seqserve-metrics-"

TokenKind = Literal["tagged", "scored", "sampled", "classified", "transduced"]

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


def make_directory() -> Path:
    """Make this server's directory of metric files and remove those of servers that are gone.

    To be called before `Telemetry` is made: the client library looks for the directory when it is first imported.
    """
    base = scratch_directory()
    for left in base.glob(f"{_PREFIX}*"):
        owner = left.name.removeprefix(_PREFIX).split("-")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            shutil.rmtree(left, ignore_errors=True)
    directory = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base))
    os.environ[DIRECTORY_VARIABLE] = str(directory)
    return directory


class Telemetry:
    """The metrics of one app."""

    def __init__(self) -> None:
        import prometheus_client  # late: it decides on import whether values live in files

        self._client = prometheus_client
        self._registry = prometheus_client.CollectorRegistry()
        self._requests = prometheus_client.Counter(
            "seqserve_requests", "Requests answered.", ("route", "status"), registry=self._registry
        )
        self._seconds = {
            part: prometheus_client.Histogram(
                f"seqserve_{part}_seconds", text, ("route",), registry=self._registry, buckets=_SECONDS
            )
            for part, text in (
                ("queue", "Time before the first row of a request ran."),
                ("compute", "Time from the first run to the last answer."),
                ("total", "Time from arrival to answer."),
            )
        }
        self._tokens = {
            kind: prometheus_client.Counter(
                f"seqserve_tokens_{kind}", f"Tokens {kind}.", ("model",), registry=self._registry
            )
            for kind in get_args(TokenKind)
        }

        self._active = prometheus_client.Gauge(
            "seqserve_active_samples",
            "Samples that are being drawn now.",
            ("model",),
            registry=self._registry,
            multiprocess_mode="livesum",
        )

    def count_request(self, route: str, status: int, seconds: dict[str, float]) -> None:
        """Count an answered request; `seconds` has queue, compute and total."""
        self._requests.labels(route, str(status)).inc()
        for part, value in seconds.items():
            if part == "total" or seconds["compute"]:  # what ran no graph has not waited for one
                self._seconds[part].labels(route).observe(value)

    def count_tokens(self, model: str, num_tokens: int, *, kind: TokenKind) -> None:
        """Count tokens that a model has worked on."""
        self._tokens[kind].labels(model).inc(num_tokens)

    def sampling(self, model: str) -> "SamplingTelemetry":
        """Return what a model's decoder reports to."""
        return SamplingTelemetry(self._tokens["sampled"].labels(model), self._active.labels(model))

    def render(self) -> tuple[bytes, str]:
        """Return the metrics of all workers as Prometheus text, with its content type."""
        registry: Any = self._registry
        if os.environ.get(DIRECTORY_VARIABLE):
            from prometheus_client.multiprocess import MultiProcessCollector

            registry = self._client.CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return self._client.generate_latest(registry), self._client.CONTENT_TYPE_LATEST


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
