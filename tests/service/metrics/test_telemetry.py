"""What /metrics says, of one process and of several."""

import os
import re
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from seqserve.service.metrics.definitions import METRICS
from seqserve.service.metrics.shared_values import SharedValues
from seqserve.service.metrics.telemetry import Telemetry

SECONDS = {"queue": 0.5, "compute": 0.5, "total": 1.0}


def text_of(telemetry: Telemetry) -> str:
    return telemetry.render()[0].decode()


def value_of(telemetry: Telemetry, series: str) -> float | None:
    found = re.search(rf"^seqserve_{re.escape(series)} (\S+)$", text_of(telemetry), re.MULTILINE)
    return float(found[1]) if found else None


def in_worker(telemetry: Telemetry, slot: int, work: Callable[[], None]) -> None:
    """Fork a worker that counts in a slot, and wait for its end."""
    process_id = os.fork()
    if process_id == 0:
        status = 1
        try:
            telemetry.bind(slot)
            work()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(process_id, 0)[1] == 0


@pytest.fixture
def shared() -> Telemetry:
    return Telemetry(SharedValues(4))


@pytest.fixture
def frequent_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_a_telemetry_alone_counts_requests_and_their_times() -> None:
    telemetry = Telemetry()
    telemetry.count_request("/v1/tag", "m", 200, SECONDS)
    telemetry.count_request("/v1/tag", "m", 200, {"queue": 0.0, "compute": 0.0, "total": 0.001})
    assert value_of(telemetry, 'requests_total{model="m",route="/v1/tag",status="200"}') == 2
    for bucket, number in {"0.001": 1, "0.5": 1, "1.0": 2, "+Inf": 2}.items():
        assert value_of(telemetry, f'total_seconds_bucket{{le="{bucket}",route="/v1/tag"}}') == number
    assert value_of(telemetry, 'total_seconds_count{route="/v1/tag"}') == 2
    assert value_of(telemetry, 'total_seconds_sum{route="/v1/tag"}') == pytest.approx(1.001)
    assert value_of(telemetry, 'queue_seconds_count{route="/v1/tag"}') == 1  # the other ran no graph


def test_a_value_beyond_the_last_limit_is_in_the_infinite_bucket_only() -> None:
    telemetry = Telemetry()
    telemetry.count_request("/v1/tag", "m", 200, {"queue": 0.0, "compute": 0.0, "total": 31.0})
    assert value_of(telemetry, 'total_seconds_bucket{le="30.0",route="/v1/tag"}') == 0
    assert value_of(telemetry, 'total_seconds_bucket{le="+Inf",route="/v1/tag"}') == 1


def test_every_other_series() -> None:
    telemetry = Telemetry()
    telemetry.count_rejected("overloaded")
    telemetry.count_tokens("m", 7, kind="tagged")
    telemetry.count_dropped_lines("access", 3)
    telemetry.set_model("m", "1", "tag")
    telemetry.set_queue_tokens("m", 9)
    telemetry.set_process(resident_bytes=4096, num_connections=5)
    telemetry.sample_counter("m")(2, 1)
    telemetry.batch_counter("m")(3, 27, 30)
    expected = {
        'rejected_total{code="overloaded"}': 1,
        'tokens_tagged_total{model="m"}': 7,
        'tokens_sampled_total{model="m"}': 2,
        'log_lines_dropped_total{log="access"}': 3,
        'log_lines_dropped_total{log="error"}': 0,
        'model_info{model="m",task="tag",version="1"}': 1,
        'queue_tokens{model="m"}': 9,
        'active_samples{model="m"}': 1,
        "connections": 5,
        f'resident_bytes{{pid="{os.getpid()}"}}': 4096,
        'batch_rows_bucket{le="2.0",model="m"}': 0,
        'batch_rows_bucket{le="4.0",model="m"}': 1,
        'padding_waste_bucket{le="0.05",model="m"}': 0,
        'padding_waste_sum{model="m"}': 0.1,
        "series_dropped_total": 0,
    }
    assert {name: value_of(telemetry, name) for name in expected} == pytest.approx(expected)


def test_every_metric_has_its_help_and_type() -> None:
    text = text_of(Telemetry())
    for metric in METRICS.values():
        name = f"seqserve_{metric.name}" + ("_total" if metric.kind == "counter" else "")
        kind = metric.kind if metric.kind in ("counter", "histogram") else "gauge"
        assert f"# HELP {name} {metric.text}\n# TYPE {name} {kind}\n" in text
    assert "_created" not in text


def test_workers_are_added_up_and_gauges_of_the_dead_go(shared: Telemetry) -> None:
    def work() -> None:
        for _ in range(4):
            shared.count_request("/v1/tag", "m", 200, SECONDS)
        shared.set_model("m", "1", "tag")
        shared.set_queue_tokens("m", 9)
        shared.set_process(resident_bytes=1000, num_connections=2)

    for slot in range(3):
        in_worker(shared, slot, work)
    requests = 'requests_total{model="m",route="/v1/tag",status="200"}'
    for left in (3, 2, 1, 0):
        assert value_of(shared, requests) == 12
        assert value_of(shared, 'total_seconds_count{route="/v1/tag"}') == 12
        assert value_of(shared, 'total_seconds_sum{route="/v1/tag"}') == 12
        assert value_of(shared, 'queue_tokens{model="m"}') == (9 * left if left else None)
        assert value_of(shared, 'model_info{model="m",task="tag",version="1"}') == (1 if left else None)
        assert value_of(shared, "connections") == 2 * left
        assert text_of(shared).count("seqserve_resident_bytes{") == left  # none of the master
        if left:
            shared.retire(left - 1)


def test_a_slot_that_is_used_again_begins_empty_and_adds_to_the_sums(shared: Telemetry) -> None:
    for number in (1, 2):
        in_worker(shared, 0, lambda number=number: shared.count_tokens("m", number, kind="scored"))  # type: ignore[misc]
        shared.retire(0)
    in_worker(shared, 0, lambda: shared.count_tokens("other", 1, kind="scored"))
    assert value_of(shared, 'tokens_scored_total{model="m"}') == 3
    assert value_of(shared, 'tokens_scored_total{model="other"}') == 1


def test_a_series_of_a_wrong_shape_is_neither_shown_nor_kept(shared: Telemetry) -> None:
    def work() -> None:
        region = shared._region
        region.cells[region.find("requests", ("too", "few"))] = 5.0
        region.cells[region.find("rejected", ("wide",), 9)] = 5.0
        region.cells[region.find("of_a_newer_version", ("x",))] = 5.0
        shared.count_rejected("real")

    in_worker(shared, 0, work)
    for _ in range(2):
        text = text_of(shared)
        assert "too" not in text
        assert "wide" not in text
        assert "newer" not in text
        assert value_of(shared, 'rejected_total{code="real"}') == 1
        shared.retire(0)


def test_no_count_is_lost_between_threads(frequent_switches: None) -> None:
    telemetry = Telemetry()
    count_samples, count_batch = telemetry.sample_counter("m"), telemetry.batch_counter("m")

    def count() -> None:
        for _ in range(2_000):
            telemetry.count_request("/v1/tag", "m", 200, SECONDS)
            telemetry.count_tokens("m", 3, kind="tagged")
            count_samples(2, 1)
            count_batch(1, 10, 10)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value_of(telemetry, 'requests_total{model="m",route="/v1/tag",status="200"}') == 8_000
    assert value_of(telemetry, 'total_seconds_sum{route="/v1/tag"}') == 8_000
    assert value_of(telemetry, 'tokens_tagged_total{model="m"}') == 24_000
    assert value_of(telemetry, 'tokens_sampled_total{model="m"}') == 16_000
    assert value_of(telemetry, 'batch_rows_sum{model="m"}') == 8_000


def test_text_is_rendered_while_series_are_added() -> None:
    telemetry = Telemetry()
    texts: list[str] = []
    reader = threading.Thread(target=lambda: texts.extend(text_of(telemetry) for _ in range(10)))
    reader.start()
    for number in range(1_000):
        telemetry.count_rejected(f"code{number}")
    reader.join()
    assert len(texts) == 10
    assert text_of(telemetry).count("seqserve_rejected_total{") == 1_000
