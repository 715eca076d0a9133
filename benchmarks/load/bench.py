"""What measurements need: servers, started when first asked for, load generators, requests with their answers."""

import http.client
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

from benchmarks.load.generator import drive, generators
from benchmarks.load.plan import Load, Outcome, Request, post_json
from benchmarks.load.raw_rate import RawGraph, raw_graph
from benchmarks.running_service import RunningService, ServiceError, running_service

WORKERS = "2"
_VARIANT = "benchmarks.load.variant_server"
_REQUEST_LIMIT_S = 60.0
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is measured: bundles, sentences of twenty tokens and of every length, seconds of one measurement."""

    tagger: Path
    char_model: Path
    word_model: Path
    scorer: Path
    short: tuple[str, ...]
    mixed: tuple[str, ...]
    seconds: float = 3.0
    environments: Path | None = None
    against: Path | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """How a server is started: a bundle, a variant of the service ("" is the service), its settings, its source."""

    bundle: Path
    variant: str = ""
    settings: tuple[str, ...] = ("--workers", WORKERS, "--threads", "16")
    checkout: Path | None = None


class Bench:
    """Holds everything that runs between measurements; a context, at whose end all of it is stopped."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._stack = ExitStack()
        self._running: dict[Server, RunningService] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def tagger(self, variant: str = "") -> int:
        """The port of a server of the tagger."""
        return self.running(self.tagger_server(variant)).port

    def tagger_server(self, variant: str = "") -> Server:
        """How a server of the tagger is started."""
        return Server(self.options.tagger, variant)

    def running(self, server: Server) -> RunningService:
        """The server, started unless it runs already; raises ServiceError."""
        if server not in self._running:
            program = ("-m", _VARIANT, server.variant) if server.variant else ("-m", "service")
            context = running_service(server.bundle, server.settings, program=program, checkout=server.checkout)
            self._running[server] = self._stack.enter_context(context)
        return self._running[server]

    def submit(self, load: Load) -> "Future[Outcome]":
        """Drive a load in a process of its own."""
        return self._pool.submit(drive, load)

    def drive(self, load: Load) -> dict[str, float]:
        """Drive a load to its end and return its numbers."""
        return self.submit(load).result().numbers()

    @cached_property
    def raw(self) -> RawGraph:
        """The bare graph on the short sentences."""
        return self._stack.enter_context(raw_graph(self.options.tagger, self.options.short))

    @cached_property
    def short_requests(self) -> list[Request]:
        """One sentence of twenty tokens each."""
        return self.answered(self.tagger(), "/v1/tag", [({"text": text}, 1) for text in self.options.short])

    def answered(self, port: int, path: str, bodies: Sequence[tuple[Mapping[str, object], int]]) -> list[Request]:
        """Make requests of JSON bodies and their units, asking each alone for the answer that is to be expected."""
        requests = [Request(post_json(path, body), units) for body, units in bodies]
        return [replace(request, expected=_ask(port, request)) for request in requests]

    @cached_property
    def _pool(self) -> ProcessPoolExecutor:
        return self._stack.enter_context(generators())


def _ask(port: int, request: Request) -> bytes:
    head, _, body = request.wire.partition(b"\r\n\r\n")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_REQUEST_LIMIT_S)
    try:
        connection.request("POST", head.split()[1].decode(), body, _JSON)
        answer = connection.getresponse()
        found = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise ServiceError(f"a request alone is answered {answer.status}: {found[:500].decode('utf-8', 'replace')}")
    return found
