"""A peer started for a measurement on a free port, and every process of it ended after it. Linux only."""

import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from benchmarks.peers.peer import Entities, Peer
from benchmarks.peers.requirements import ENVIRONMENTS, ROOT, python_of
from benchmarks.peers.settings import PREFIX, Settings
from benchmarks.running_service import ServiceError

_START_LIMIT_S = 60.0
_STOP_LIMIT_S = 15.0
_REQUEST_LIMIT_S = 30.0
_POLL_S = 0.1
_SHOWN = 3000
_WARM_UP_REQUESTS = 20
_WARM_UP_TEXT = "Ada Lovelace of London wrote to Charles Babbage in Turin."


@contextmanager
def running(peer: Peer, bundle: Path, environments: Path = ENVIRONMENTS) -> Iterator[int]:
    """Start a peer in its own process group and yield its port once it answers; stop all its processes at the end.

    Raises EnvironmentMissingError, and ServiceError with the end of its log when it does not answer in time.
    """
    python = python_of(peer.name, environments)
    port = _free_port()
    settings = Settings(str(bundle.absolute()), port, peer.max_batch, peer.wait_ms)
    command = [str(python), "-m", peer.module]
    with tempfile.TemporaryDirectory(prefix="peer") as scratch, tempfile.TemporaryFile() as log:
        environment = _environment(python, scratch) | settings.variables()
        process = subprocess.Popen(
            command, cwd=scratch, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            _wait(peer, port, process, log)
            yield port
        finally:
            _stop(process, port)


def ask(peer: Peer, port: int, text: str) -> Entities:
    """The entities of one text over a connection of its own; raises ServiceError when the status is not 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_REQUEST_LIMIT_S)
    try:
        connection.request("POST", peer.path, peer.body(text), dict(peer.headers))
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise ServiceError(f"{peer.name} answers {answer.status}: {body[:500].decode('utf-8', 'replace')}")
    return peer.entities(body)


def processes_of(port: int) -> list[int]:
    """Ids of all processes of the peer that was started for this port: some of them leave its process group."""
    mark = f"{PREFIX}PORT={port}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile, or is another user's
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _environment(python: Path, scratch: str) -> dict[str, str]:
    """This process's variables but its own settings; what a peer writes goes to `scratch`; one thread each."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("SEQSERVE_", "PYTHON", "VIRTUAL"))
    }
    own = {
        "PATH": f"{python.parent}:{kept.get('PATH', '')}",
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "HOME": scratch,
        "TMPDIR": scratch,
        "OMP_NUM_THREADS": "1",
    }
    return {**kept, **own}


def _wait(peer: Peer, port: int, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    limit = time.perf_counter() + _START_LIMIT_S
    failure = "it does not answer"
    while process.poll() is None and time.perf_counter() < limit:
        try:
            for _ in range(_WARM_UP_REQUESTS):  # so that each of its workers has answered
                ask(peer, port, _WARM_UP_TEXT)
            return
        except (OSError, http.client.HTTPException):
            failure = "it does not answer"
        except (ServiceError, json.JSONDecodeError) as error:  # many answer before they are ready
            failure = str(error)
        time.sleep(_POLL_S)
    log.seek(0)
    tail = log.read()[-_SHOWN:].decode(errors="replace")
    raise ServiceError(f"{peer.name} did not start ({failure}): {tail}")


def _stop(process: subprocess.Popen[bytes], port: int) -> None:
    """Ask the first process to end, which knows the others, and kill whatever of the peer is left, in any group."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_LIMIT_S)
    while left := processes_of(port):
        for each in left:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        process.poll()  # a zombie has no environment, but must be reaped
        time.sleep(_POLL_S)
    process.wait()
