"""Add up the numbers of all processes and write them as Prometheus text."""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import add

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client import Metric as Family
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from seqserve.service.metrics.definitions import METRICS, Metric, metric_of
from seqserve.service.metrics.shared_values import Reading

_PREFIX = "seqserve_"
_PID = "pid"

Labels = tuple[str, ...]
Values = dict[Labels, Sequence[float]]


def exposed(readings: Iterable[Reading]) -> bytes:
    """Return the sums of all processes as text, with every metric, also one that has no series."""
    values = _merge(readings)
    registry = CollectorRegistry()
    registry.register(_Families([_family(metric, values[metric.name]) for metric in METRICS.values()]))
    return generate_latest(registry)


class _Families(Collector):
    """Metrics as the client library's registry takes them."""

    def __init__(self, families: list[Family]) -> None:
        self._families = families

    def collect(self) -> list[Family]:
        return self._families


def _merge(readings: Iterable[Reading]) -> dict[str, Values]:
    merged: dict[str, Values] = {name: {} for name in METRICS}
    merged["connections"][()] = [0.0]
    num_dropped = 0
    for reading in readings:
        num_dropped += reading.num_dropped
        for series, numbers in reading.series:
            if metric := metric_of(series):
                labels = (*series.labels, str(reading.process_id)) if metric.kind == "each" else series.labels
                before = merged[metric.name].get(labels, [0.0] * series.width)
                merged[metric.name][labels] = list(map(max if metric.kind == "max" else add, before, numbers))
    merged["series_dropped"][()] = [float(num_dropped)]
    return merged


def _family(metric: Metric, values: Values) -> Family:
    name = _PREFIX + metric.name
    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(name, metric.text, labels=metric.labels)
        limits = [*map(floatToGoString, metric.bounds), "+Inf"]
        for labels, (*counts, total) in values.items():
            buckets = list(zip(limits, accumulate(counts), strict=True))
            histogram.add_metric(labels, buckets, total)
        return histogram
    family: CounterMetricFamily | GaugeMetricFamily
    if metric.kind == "counter":
        family = CounterMetricFamily(name, metric.text, labels=metric.labels)
    else:
        process = (_PID,) if metric.kind == "each" else ()
        family = GaugeMetricFamily(name, metric.text, labels=(*metric.labels, *process))
    for labels, numbers in values.items():
        family.add_metric(labels, numbers[0])
    return family
