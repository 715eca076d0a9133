"""Metric files of workers that have ended."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

COUNT = """
import os, sys
from service.metrics.telemetry import Telemetry
telemetry = Telemetry()
for _ in range(int(sys.argv[1])):
    telemetry.count_request("/v1/tag", "m", 200, {"queue": 0.5, "compute": 0.5, "total": 1.0})
telemetry.set_queue_tokens("m", 9)
print(os.getpid())
"""
SCRAPE = """
from service.metrics.telemetry import Telemetry
print(Telemetry().render()[0].decode())
"""


def run(script: str, directory: Path, *words: str) -> str:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(directory)}
    command = [sys.executable, "-c", script, *words]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def test_what_ended_workers_counted_stays_and_what_they_held_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.metrics.metric_files import retire

    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    counts = [3, 4, 5]
    workers = [int(run(COUNT, tmp_path, str(count))) for count in counts]
    total = 'seqserve_requests_total{model="m",route="/v1/tag",status="200"} 12.0'
    assert total in run(SCRAPE, tmp_path)
    for left, worker in zip([2, 1, 0], workers, strict=True):
        retire(worker)
        text = run(SCRAPE, tmp_path)
        assert total in text
        assert 'seqserve_total_seconds_count{route="/v1/tag"} 12.0' in text
        assert 'seqserve_total_seconds_sum{route="/v1/tag"} 12.0' in text
        held = f'seqserve_queue_tokens{{model="m"}} {9.0 * left}'
        assert (held in text) is (left > 0)
        assert not list(tmp_path.glob(f"*_{worker}.db"))
