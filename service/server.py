"""Serving under gunicorn, configured in code."""

import gc
import logging
import math
import os
import resource
import shutil
import signal
import sys
import time
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

from service import telemetry
from service.app import create_app, make_registry
from service.board import Board
from service.logs import ACCESS_FORMAT, set_up_logs
from service.memory import use_few_heaps
from service.scratch import scratch_directory
from service.settings import Settings
from service.worker import Worker

_GRACE_S = 5
"""Beyond a request's deadline: time to write its answer before a worker that lingers is killed."""
_KEEP_ALIVE_S = 15
_START_LIMIT_S = 120
_MAX_CONNECTIONS = 1000
"""Of one worker, most of them idle: a thread is taken only by a connection that sends."""
_OTHER_FILES = 64
"""Descriptors that a worker needs beside those of its connections; about 20 are open when it is idle."""


def serve(settings: Settings) -> None:
    """Check the bundles, then serve until told to stop; ends in SystemExit.

    Raises BundleError before anything listens.
    """
    logger = set_up_logs(settings.log_level)
    use_few_heaps()
    metrics = telemetry.make_directory()
    master = os.getpid()
    try:
        # Everything that workers can share is made before they are forked: modules, manifests, vocabularies, routes.
        server = Server(settings)
        logger.info("checked %s", ", ".join(server.registry.missing))
        # What lives until the end need not be looked at, and so not be copied, by each worker's garbage collector.
        gc.collect()
        gc.freeze()
        Master(server).run()
    finally:
        if os.getpid() == master:
            shutil.rmtree(metrics, ignore_errors=True)


class Server(BaseApplication):  # type: ignore[misc]
    """The app as gunicorn sees it: configuration, and the WSGI callable that each worker asks for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.board = Board()
        self.registry = make_registry(settings)
        self._app = create_app(settings, registry=self.registry, board=self.board)
        super().__init__()

    def load_config(self) -> None:
        """Set what gunicorn needs; its own environment variables and files are not read."""
        settings = self.settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        values: dict[str, Any] = {
            "bind": f"{host}:{settings.port}",
            "workers": settings.num_workers,
            "threads": settings.threads,
            "worker_class": Worker,
            "worker_connections": _max_connections(),
            "keepalive": _KEEP_ALIVE_S,
            "timeout": _START_LIMIT_S,
            "graceful_timeout": math.ceil(settings.deadline_s) + _GRACE_S,
            # A container's user may have no home to put the socket in, and nobody needs it.
            "control_socket_disable": True,
            "loglevel": settings.log_level,
            "accesslog": "-" if settings.access_log == "on" else None,
            "access_log_format": ACCESS_FORMAT,
            "proc_name": "seqserve",
            "worker_tmp_dir": str(scratch_directory()),
        }
        for name, value in values.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Open the models in this worker; raises BundleError."""
        self.registry.open()
        for model in self.registry.models:
            logging.getLogger("seqserve").info(
                "%s %s ready on %s", model.manifest.name, model.manifest.version, model.provider
            )
        return self._app


def _max_connections() -> int:
    """How many connections a worker takes: never so many that it runs out of descriptors."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MAX_CONNECTIONS if limit == resource.RLIM_INFINITY else max(1, min(_MAX_CONNECTIONS, limit - _OTHER_FILES))


class Master(Arbiter):  # type: ignore[misc]
    """gunicorn's master process, which drains before it stops and says in one sentence why it cannot start."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._board = server.board
        self._drain_s = server.settings.drain_s
        self._is_halting = False
        # The worker's own sentence says it all.
        logging.getLogger("gunicorn.error").addFilter(lambda record: not self._board.failure)

    def spawn_workers(self) -> None:
        """Start the first workers at once: gunicorn pauses between them, which would delay readiness."""
        if self.worker_age:  # one that dies again and again must not take a whole core
            super().spawn_workers()
            return
        for _ in range(self.num_workers - len(self.WORKERS)):
            self.spawn_worker()

    def handle_term(self) -> None:
        """Fail readiness, go on serving for drain_s, then stop gracefully."""
        self._board.start_draining(self._drain_s)
        until = time.monotonic() + self._drain_s
        while (left_s := until - time.monotonic()) > 0:
            for received in self.wait_for_signals(timeout=left_s):
                if received in (signal.SIGINT, signal.SIGQUIT):
                    self.handle_int()
            self.reap_workers()
            self.manage_workers()
        super().handle_term()

    def reap_workers(self) -> None:
        """Collect ended workers; one that could not start halts the server, once, however many follow it."""
        try:
            super().reap_workers()
        except HaltServer:
            if not self._is_halting:
                raise

    def halt(self, reason: str | None = None, exit_status: int = 0) -> None:
        """Stop everything and exit."""
        self._is_halting = True
        if self._board.failure:
            print(f"seqserve: {self._board.failure}", file=sys.stderr, flush=True)
        super().halt(reason, exit_status)
