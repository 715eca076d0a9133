"""Metrics of all workers, those that were killed too."""

import os
import re
import signal
from collections.abc import Callable

from benchmarks.faults.clients import wait_until
from tests.live.problems import FINE
from tests.live.served import Served

FAR_S = 30.0


def test_counts_stay_and_gauges_go_when_a_worker_is_killed(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "2")

    def metrics() -> str:
        return server.get("/metrics").body.decode()

    def tagged() -> float:
        found = re.findall(r'^seqserve_requests_total{[^}]*route="/v1/tag"[^}]*} (\S+)$', metrics(), re.MULTILINE)
        return sum(map(float, found))

    def processes() -> set[int]:
        return {int(number) for number in re.findall(r'seqserve_resident_bytes{pid="(\d+)"}', metrics())}

    for number in range(1, 4):
        assert [server.post(FINE).status for _ in range(10)] == [200] * 10
        assert tagged() == 10 * number
        assert wait_until(lambda: processes() == set(server.workers), FAR_S)
        victim = server.workers[0]
        os.kill(victim, signal.SIGKILL)
        assert wait_until(lambda victim=victim: len(set(server.workers) - {victim}) == 2, FAR_S)  # type: ignore[misc]
        assert tagged() == 10 * number
        assert wait_until(lambda: processes() == set(server.workers), FAR_S)
        assert server.process.pid not in processes()
