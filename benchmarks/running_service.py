"""A service started for a measurement, on a free port of this machine, and stopped after it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqserve.errors import SeqserveError

_START_LIMIT_S = 60.0
_STOP_LIMIT_S = 30.0
_REQUEST_LIMIT_S = 120.0
_POLL_S = 0.002


class ServiceError(SeqserveError):
    """The service did not start, or did not answer as it should."""


@dataclass(frozen=True, slots=True)
class RunningService:
    """Where the service answers, the id of its first process, and the seconds from its spawn to the first ready."""

    port: int
    process_id: int
    seconds_to_ready: float

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The decoded JSON answer; raises ServiceError when the status is not 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_REQUEST_LIMIT_S)
        try:
            payload = json.dumps(body).encode("utf-8")
            connection.request("POST", path, payload, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise ServiceError(f"POST {path} answers {answer.status}: {text[:500].decode('utf-8', 'replace')}")
        return json.loads(text)


@contextmanager
def running_service(
    models: Path,
    settings: Sequence[str] = (),
    *,
    program: Sequence[str] = ("-m", "service"),
    checkout: Path | None = None,
) -> Iterator[RunningService]:
    """`python -m service` on a folder of bundles, or one; raises ServiceError with its log when it ends early.

    program: what runs in its place, a server that takes the same settings. checkout: the folder of other source code.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, *program, "--models", str(models.absolute()), "--port", str(port), "--drain-s", "0"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SEQSERVE_")}
    with tempfile.TemporaryFile() as log:
        started = time.perf_counter()
        process = subprocess.Popen([*command, *settings], stdout=log, stderr=log, env=environment, cwd=checkout)
        try:
            while not _ready(port):
                if process.poll() is not None or time.perf_counter() - started > _START_LIMIT_S:
                    log.seek(0)
                    tail = log.read()[-2000:].decode(errors="replace")
                    raise ServiceError(f"the service did not become ready: {tail}")
                time.sleep(_POLL_S)
            yield RunningService(port, process.pid, time.perf_counter() - started)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_START_LIMIT_S)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
