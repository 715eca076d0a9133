"""Which connections a process holds, as the kernel says. Linux only."""

import os
import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path

_SOCKET = re.compile(r"socket:\[(\d+)\]")
_STOP_LIMIT_S = 5.0
_LISTENS = "0A"  # TCP_LISTEN of linux/tcp_states.h: the listener itself, which dies with nobody


@dataclass(frozen=True, slots=True)
class Death:
    """A worker that was killed: when (monotonic), and the clients' ports of the connections it held then."""

    process_id: int
    at: float
    client_ports: frozenset[int]


def kill_worker(process_id: int, port: int) -> Death:
    """kill -9 a process of a server that listens on `port`, and say which connections died with it.

    It is stopped for the moment of looking, so that what is seen is what it holds when it dies.
    """
    os.kill(process_id, signal.SIGSTOP)
    limit = time.monotonic() + _STOP_LIMIT_S
    while _state_of(process_id) not in "TZX" and time.monotonic() < limit:
        time.sleep(0)
    held = client_ports(process_id, port)
    at = time.monotonic()
    os.kill(process_id, signal.SIGKILL)
    return Death(process_id, at, held)


def client_ports(process_id: int, port: int) -> frozenset[int]:
    """Clients' ports of the IPv4 connections to the local port that a process holds; empty when it is gone."""
    inodes = set()
    try:
        for descriptor in Path(f"/proc/{process_id}/fd").iterdir():
            if found := _SOCKET.match(_target_of(descriptor)):
                inodes.add(found[1])
        lines = Path(f"/proc/{process_id}/net/tcp").read_text().splitlines()[1:]
    except OSError:
        return frozenset()
    fields = [line.split() for line in lines]
    return frozenset(
        int(each[2].partition(":")[2], 16)
        for each in fields
        if each[9] in inodes and each[3] != _LISTENS and int(each[1].partition(":")[2], 16) == port
    )


def _target_of(descriptor: Path) -> str:
    try:
        return os.readlink(descriptor)
    except OSError:  # closed meanwhile
        return ""


def _state_of(process_id: int) -> str:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"
