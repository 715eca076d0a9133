"""A client of /v1/sample, and a server with toy models."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.live.served import Reply, Served

TOYS = ("-m", "tests.live.toy_server")
FAR_S = 60.0
SLOW = {"model": "toy-slow", "seed": 1}


def sample(server: Served, body: object, **options: Any) -> Reply:
    """Send a body to /v1/sample."""
    return server.post(body, path="/v1/sample", **options)


def samples(server: Served, **body: object) -> list[dict[str, Any]]:
    """Send a request that must be answered and return its samples."""
    reply = sample(server, body)
    assert reply.status == 200, reply.body[:300]
    found: list[dict[str, Any]] = reply.json()["samples"]
    return found


def events_of(data: bytes) -> list[Any]:
    """Return the events of a whole stream; fails on anything that is no event."""
    *lines, rest = data.decode().split("\n\n")
    assert rest == ""
    assert all(line.startswith(("data: ", ":")) and "\n" not in line for line in lines), lines
    texts = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return [text if text == "[DONE]" else json.loads(text) for text in texts]


@contextmanager
def streaming(server: Served, **body: object) -> Iterator[http.client.HTTPResponse]:
    """Ask for a stream and yield the answer as soon as its headers are there."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=FAR_S)
    try:
        data = json.dumps({**body, "stream": True})
        connection.request("POST", "/v1/sample", data, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 200
        yield answer
    finally:
        connection.close()


def metric(server: Served, name: str, model: str) -> float:
    """Return a number of a model from /metrics."""
    marker = f'{name}{{model="{model}"}} '
    lines = server.get("/metrics").body.decode().splitlines()
    return sum(float(line.removeprefix(marker)) for line in lines if line.startswith(marker))


def wait_for_active(server: Served, model: str, holds: Callable[[float], bool]) -> None:
    """Wait until the number of active samples is what is asked for."""
    limit = time.monotonic() + FAR_S
    while not holds(metric(server, "seqserve_active_samples", model)):
        assert time.monotonic() < limit
