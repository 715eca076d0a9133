"""What a load generator is to send, and what came of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.load.statistics import quantile


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it goes over the wire; `units` is what it is worth, in sentences or tokens.

    `expected` is the body of its answer when it is 200, byte for byte; None takes any.
    """

    wire: bytes
    units: int = 1
    expected: bytes | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """Requests sent in turn, over and over, to a port of this machine.

    Closed loop: `clients` connections, each of which sends as soon as it is answered. Open loop: `rate` requests a
    second, each sent at its time whether others are answered or not, on as many connections as that takes.
    The first `warm_up_s` do not count. After `seconds` more, answers are waited for `grace_s`. Of a request of a closed
    loop that lies only partly in the time that counts, so much of its units counts. `source` is the address of this
    machine that the connections come from; empty leaves it to the kernel, which takes 127.0.0.1.
    """

    port: int
    requests: Sequence[Request]
    clients: int = 0
    rate: float = 0.0
    seconds: float = 3.0
    warm_up_s: float = 0.5
    grace_s: float = 30.0
    max_connections: int = 8000
    source: str = ""

    def __post_init__(self) -> None:
        if not self.requests:
            raise ValueError("a load needs at least one request")
        if (self.clients > 0) == (self.rate > 0):
            raise ValueError("a load has either clients (closed loop) or a rate (open loop)")


@dataclass(slots=True)
class Outcome:
    """What came of the requests that count; latencies in seconds.

    In a closed loop these are the requests answered within `seconds`, in an open loop those that were due in it: their
    latency counts from when they were due, not from when they could be sent.
    """

    seconds: float = 0.0
    num_sent: int = 0
    num_units: float = 0.0  # of answers 200; see Load for those that began before or ended after
    num_different: int = 0  # 200 with another body than expected
    num_broken: int = 0  # connections refused, cut, or not speaking HTTP
    num_hung: int = 0  # not answered by the end of the grace
    most_connections: int = 0
    cpu_s: float = 0.0  # of the generator, for all requests of `num_total`
    num_total: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    good_s: list[float] = field(default_factory=list)  # latencies of answers 200
    other_s: list[float] = field(default_factory=list)

    def numbers(self) -> dict[str, float]:
        """Return everything as plain numbers, latencies in milliseconds, rates a second."""
        good = len(self.good_s)
        found: dict[str, float] = {
            "requests_per_s": good / self.seconds,
            "units_per_s": self.num_units / self.seconds,
            "num_others": len(self.other_s),
            "others_per_s": len(self.other_s) / self.seconds,
            "num_sent": self.num_sent,
            "num_different": self.num_different,
            "num_broken": self.num_broken,
            "num_hung": self.num_hung,
            "most_connections": self.most_connections,
            "generator_us": 1e6 * self.cpu_s / max(1, self.num_total),
        }
        found |= {f"status_{status}": count for status, count in sorted(self.statuses.items())}
        for prefix, latencies in (("", self.good_s), ("other_", self.other_s)):
            if latencies:
                milliseconds = sorted(1000 * each for each in latencies)
                found |= {f"{prefix}p{part}_ms": quantile(milliseconds, part / 100) for part in (50, 90, 99)}
                found[f"{prefix}mean_ms"] = sum(milliseconds) / len(milliseconds)
                found[f"{prefix}max_ms"] = milliseconds[-1]
        return found


def post(path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a POST as it goes over the wire, on a connection that is kept."""
    given = {"Host": "127.0.0.1", "Content-Type": "application/json", **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"POST {path} HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


def post_json(path: str, body: object) -> bytes:
    """Return a POST of JSON as it goes over the wire."""
    return post(path, json.dumps(body).encode())


def get(path: str) -> bytes:
    """Return a GET as it goes over the wire."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
