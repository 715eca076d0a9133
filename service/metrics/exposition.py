"""The numbers of all processes as Prometheus text, in the client library's own writing."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry
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


class ProcessesCollector(Collector):
    """Adds up what the regions of all processes hold whenever it is asked."""

    def __init__(self, read: Callable[[], Iterable[Reading]]) -> None:
        self._read = read

    def collect(self) -> Iterator[Family]:
        """Yield every metric, those without a series too."""
        values = _merge(self._read())
        for metric in METRICS.values():
            yield _family(metric, values[metric.name])


def metrics_registry(read: Callable[[], Iterable[Reading]]) -> CollectorRegistry:
    """Return what the client library writes as text."""
    registry = CollectorRegistry()
    registry.register(ProcessesCollector(read))
    return registry


def _merge(readings: Iterable[Reading]) -> dict[str, Values]:
    merged: dict[str, Values] = {name: {} for name in METRICS}
    merged["connections"][()] = [0.0]
    num_dropped = 0
    for reading in readings:
        num_dropped += reading.num_dropped
        for series, numbers in reading.series:
            if metric := metric_of(series.metric, num_labels=len(series.labels), width=series.width):
                labels = (*series.labels, str(reading.process_id)) if metric.kind == "each" else series.labels
                _add(merged[metric.name], labels, numbers, is_sum=metric.kind != "max")
    merged["series_dropped"][()] = [float(num_dropped)]
    return merged


def _add(values: Values, labels: Labels, numbers: Sequence[float], *, is_sum: bool) -> None:
    before = values.get(labels)
    if before is None:
        values[labels] = numbers
    elif is_sum:
        values[labels] = [one + other for one, other in zip(before, numbers, strict=True)]
    else:
        values[labels] = [max(before[0], numbers[0])]


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
