"""Probes and metrics, on the main port and on one of their own, idle, full and on the way out."""

import re
import signal
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.live.problems import FINE, check_problem
from tests.live.served import Reply, Served

SLOW = ("-m", "tests.live.slow_server")
PROBES = ("/healthz", "/readyz", "/metrics")
_PORTS = re.compile(r"Listening at: ([^ ]+)")


@pytest.fixture(scope="module")
def with_ops(serve_module: Callable[..., Served]) -> Served:
    """A server of one worker with a port for operators."""
    return serve_module("--workers", "1", "--ops-port", "0")


def ops_of(server: Served) -> Callable[..., Reply]:
    """Return a way to ask the listener for operators."""
    found = _PORTS.search(server.log)
    assert found, server.log
    ports = [int(address.rpartition(":")[2]) for address in found[1].split(",")]
    (port,) = (port for port in ports if port != server.port)

    def ask(
        path: str, *, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        return server.request(method, path, body, headers, port=port)

    return ask


def tagged(metrics: bytes) -> float:
    """Requests of /v1/tag that the metrics count, whatever their status."""
    lines = [line for line in metrics.decode().splitlines() if line.startswith("seqserve_requests_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines if 'route="/v1/tag"' in line)


@pytest.mark.parametrize("path", PROBES)
def test_the_ops_port_answers_as_the_main_one_does(with_ops: Served, path: str) -> None:
    there, here = ops_of(with_ops)(path), with_ops.get(path)
    assert (there.status, here.status) == (200, 404 if path == "/metrics" else 200)
    if here.status == 200:
        assert there.headers["Content-Type"] == here.headers["Content-Type"]


def test_the_ops_port_serves_no_model(with_ops: Served) -> None:
    ask = ops_of(with_ops)
    reply = ask("/v1/tag", method="POST", body=b'{"text": "a"}', headers={"Content-Type": "application/json"})
    check_problem(reply, 404, "not_found")
    assert ask("/v1/models").status == 404


def test_both_ports_answer_probes_while_all_that_may_run_runs(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", "--threads", "1", "--max-requests", "2", "--ops-port", "0", script=SLOW)
    ask = ops_of(server)
    with ThreadPoolExecutor(6) as pool:
        held = [pool.submit(server.post, FINE) for _ in range(6)]
        for path in PROBES:
            assert ask(path).status == 200
            assert server.get(path).status == (404 if path == "/metrics" else 200)
        assert {each.result().status for each in held} <= {200, 503}


def test_metrics_count_the_requests_of_all_workers(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "2", "--ops-port", "0")
    ask = ops_of(server)
    assert [server.post(FINE).status for _ in range(20)] == [200] * 20
    assert {tagged(ask("/metrics").body) for _ in range(6)} == {20.0}  # whichever worker is asked


def test_readiness_fails_on_both_ports_while_the_server_drains(serve: Callable[..., Served]) -> None:
    server = serve("--workers", "1", "--ops-port", "0", "--drain-s", "3")
    ask = ops_of(server)
    server.process.send_signal(signal.SIGTERM)
    while (reply := server.get("/readyz")).status == 200:
        pass
    for each in (reply, ask("/readyz")):
        check_problem(each, 503, "shutting_down")
        assert 1 <= int(each.headers["Retry-After"]) <= 3
    assert server.get("/healthz").status == 200
    assert ask("/healthz").status == 200
    assert server.post(FINE).status == 200
    assert server.stop() == 0
