"""A service that a fault is done to: its processes, its log, its ports."""

import http.client
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

from benchmarks.running_service import ServiceError

SERVICE = ("-m", "service")
_START_LIMIT_S = 120.0
_STOP_LIMIT_S = 60.0
_POLL_S = 0.005


@dataclass(frozen=True, slots=True)
class Started:
    """A running service. `ops_port` is that of the listener for probes and metrics only."""

    process: "subprocess.Popen[bytes]"
    port: int
    ops_port: int
    log_file: Path

    @property
    def workers(self) -> list[int]:
        """Ids of the worker processes that live."""
        return children_of(self.process.pid)

    @property
    def log(self) -> str:
        """What the service has written so far."""
        return self.log_file.read_text("utf-8", "replace")

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the first process."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Exit status once it has ended by itself; raises ServiceError when it does not end."""
        try:
            return self.process.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            raise ServiceError(f"the service did not end within {_STOP_LIMIT_S:.0f} s") from None

    def check_alive(self) -> None:
        """Raise ServiceError with the end of the log when the service has ended by itself."""
        if self.process.poll() is not None:
            raise ServiceError(f"the service ended by itself: {self.log[-2000:]}")


def children_of(process_id: int) -> list[int]:
    """Ids of a process's children that live, ended ones that nobody has waited for left out."""
    found = []
    for listing in Path(f"/proc/{process_id}/task").glob("*/children"):
        try:
            found += [int(child) for child in listing.read_text().split() if _state(int(child)) not in "ZX"]
        except OSError:  # a thread of it ended meanwhile
            continue
    return sorted(found)


def _state(process_id: int) -> str:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


@contextmanager
def started(
    models: Path,
    settings: Sequence[str] = (),
    *,
    script: Sequence[str] = SERVICE,
    drain_s: float = 0.0,
    variables: Mapping[str, str] | None = None,
) -> Iterator[Started]:
    """Start a service, and stop it at the end when it still runs; raises ServiceError when it does not become ready."""
    port, ops_port = _free_ports(2)
    command = [sys.executable, *script, "--models", str(models), "--port", str(port), "--ops-port", str(ops_port)]
    command += ["--drain-s", str(drain_s), *settings]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SEQSERVE_")}
    environment |= variables or {}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        with log.open("wb") as target:
            process = subprocess.Popen(command, stdout=target, stderr=target, env=environment)
        service = Started(process, port, ops_port, log)
        try:
            _wait_until_ready(service)
            yield service
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                left = service.workers
                process.kill()
                process.wait()
                for worker in left:
                    os.kill(worker, signal.SIGKILL)


def _wait_until_ready(service: Started) -> None:
    limit = time.monotonic() + _START_LIMIT_S
    while not is_ready(service.port):
        service.check_alive()
        if time.monotonic() > limit:
            raise ServiceError(f"the service did not become ready: {service.log[-2000:]}")
        time.sleep(_POLL_S)


def is_ready(port: int) -> bool:
    """Whether /readyz answers 200 there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_START_LIMIT_S)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
