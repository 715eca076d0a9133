"""A real server in a process of its own, and a client that sends exactly what it is told."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
BUNDLES = ROOT / "tests" / "fixtures" / "bundles"
START_LIMIT_S = 60.0
STOP_LIMIT_S = 60.0
_LISTENING = re.compile(r"Listening at: http://[^:]+:(\d+)")
_JSON = {"Content-Type": "application/json"}


class Reply(NamedTuple):
    """Status, headers and body of an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Decode the body."""
        return json.loads(self.body)


def children_of(process_id: int) -> list[int]:
    """Ids of the processes that a process has started and that live."""
    listings = Path("/proc", str(process_id), "task").glob("*/children")
    return sorted(int(number) for listing in listings for number in listing.read_text().split())


class Served:
    """One server; `log` grows while it runs."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.log_file = log
        with log.open("wb") as target:
            self.process = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env={**os.environ, **environment}, stdout=target, stderr=target
            )
        self.port = 0
        self._seen: set[int] = set()

    @property
    def log(self) -> str:
        """What the server has written so far."""
        return self.log_file.read_text("utf-8", "replace")

    @property
    def workers(self) -> list[int]:
        """Ids of the worker processes."""
        found = children_of(self.process.pid)
        self._seen.update(found)
        return found

    def wait_until_ready(self) -> None:
        """Return once readiness holds; fails when the server ends instead."""
        limit = time.monotonic() + START_LIMIT_S
        while not (found := _LISTENING.search(self.log)):
            assert self.process.poll() is None, self.log
            assert time.monotonic() < limit, self.log
            time.sleep(0.01)
        self.port = int(found[1])
        reply = self.get("/readyz")  # the kernel keeps the connection until a worker can answer it
        assert reply.status == 200, reply.body
        assert self.workers

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        port: int | None = None,
    ) -> Reply:
        """Send one request on a connection of its own, to the main port unless another is given."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=60)
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """Send a GET."""
        return self.request("GET", path, headers=headers)

    def post(self, body: object, *, path: str = "/v1/tag", headers: Mapping[str, str] | None = None) -> Reply:
        """Send bytes as they are, anything else as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request("POST", path, data, {**_JSON, **(headers or {})})

    def stop(self) -> int:
        """Ask the server to stop and return its exit status; fails when one of its processes lives on."""
        if self.process.poll() is None:
            self._seen.update(self.workers)
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_LIMIT_S)
        finally:
            self.process.kill()
            self.process.wait()
            left = [number for number in self._seen if Path("/proc", str(number)).exists()]
            for number in left:
                os.kill(number, signal.SIGKILL)
            assert not left, f"workers {left} outlived their master\n{self.log}"


def start(log: Path, *flags: str, script: Sequence[str] = ("-m", "service"), **environment: str) -> Served:
    """Start a server on a free port with the tiny tagger, without waiting for it."""
    models = () if "--models" in flags else ("--models", str(BUNDLES))
    return Served([*script, "--port", "0", *models, *flags], environment, log)


def run(*flags: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the service until it ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "seqserve.service", "--port", "0", *flags],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
