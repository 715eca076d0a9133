"""Serve under gunicorn, which is configured in code."""

import dataclasses
import gc
import logging
import math
import resource
from collections.abc import Iterable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from seqserve.service.app import create_app, make_registry
from seqserve.service.engine.registry import Registry
from seqserve.service.engine.reports import BundleReport
from seqserve.service.memory import use_few_heaps
from seqserve.service.metrics import logs
from seqserve.service.metrics.shared_values import SharedValues
from seqserve.service.metrics.telemetry import Telemetry
from seqserve.service.scratch import scratch_directory
from seqserve.service.server.checking import ModelCheck
from seqserve.service.server.listeners import Listeners
from seqserve.service.server.reload import ReloadingMaster
from seqserve.service.server.shared_state import SharedState
from seqserve.service.server.worker import Worker
from seqserve.service.settings import Settings

_GRACE_S = 5
"""Time to write an answer after its request's deadline, before a stopping worker is killed."""
_START_LIMIT_S = 120
_GC_THRESHOLDS = 5_000, 2, 100
"""A flooded worker holds thousands of connections and hundreds of requests. With Python's default thresholds the
collector took 4 to 7 % of its time, up to 90 ms at once."""
_OTHER_FILES = 64
"""Descriptors of a worker in addition to those of its connections; about 20 are open when it is idle."""


def serve(settings: Settings, listeners: Listeners, check: ModelCheck) -> None:
    """Wait for the check of the models, then serve until a signal ends the server; ends in SystemExit.

    Raises SeqserveError before any connection is taken.
    """
    logger = logs.set_up_logs(settings.log_level)
    use_few_heaps()
    # Workers share everything that is made before the fork: modules, manifests, vocabularies, routes.
    server = Server(_within_descriptors(settings), listeners, check.wait())
    logger.info("checked %s", ", ".join(server.registry.missing))
    logger.info("requests that name no model: %s", server.registry.described_defaults)
    # Frozen objects are not visited, and so not copied, by the garbage collectors of the workers.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    ReloadingMaster(server).run()


class Server(BaseApplication):  # type: ignore[misc]
    """The app as gunicorn sees it: configuration, and the WSGI callable that each worker asks for."""

    def __init__(self, settings: Settings, listeners: Listeners, reports: Iterable[BundleReport]) -> None:
        self.settings = settings
        self.scratch = scratch_directory()
        self.shared = SharedState(max(64, 8 * settings.num_workers))
        self.telemetry = Telemetry(SharedValues(self.shared.num_slots))
        logs.report_drops(self.telemetry.count_dropped_lines)
        self.use(make_registry(settings, reports))
        self._binds = listeners.hand_over()
        super().__init__()

    def use(self, registry: Registry) -> None:
        """Serve the models of a registry in workers that are forked from now on."""
        self.registry = registry
        self._app = create_app(self.settings, registry=registry, shared=self.shared, telemetry=self.telemetry)

    def load_config(self) -> None:
        """Configure gunicorn; its own environment variables and files are not read."""
        settings = self.settings
        values: dict[str, Any] = {
            "bind": self._binds,
            "workers": settings.num_workers,
            "worker_class": Worker,
            "http_parser": "python",
            # gunicorn's parser is not used, so none of the headers that a proxy sets matters to it.
            "forwarded_allow_ips": "*",
            "forwarder_headers": "",
            "secure_scheme_headers": {},
            "timeout": _START_LIMIT_S,
            "graceful_timeout": math.ceil(settings.deadline_s) + _GRACE_S,
            # The control socket is not needed, and a container's user may have no home for it.
            "control_socket_disable": True,
            "loglevel": settings.log_level,
            "logger_class": ErrorLog,
            "proc_name": "seqserve",
            "worker_tmp_dir": str(self.scratch),
            "pre_fork": ReloadingMaster.prepare_worker,
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


class ErrorLog(Logger):  # type: ignore[misc]
    """gunicorn's log of errors, which writes as the project's own log does; there is no log of requests."""

    def setup(self, cfg: Any) -> None:
        """Take the level that is configured and the handler of this process."""
        self.cfg = cfg
        self.loglevel = self.LOG_LEVELS.get(cfg.loglevel.lower(), logging.INFO)
        self.error_log.setLevel(self.loglevel)
        self.error_log.handlers = [logs.error_handler]


def _within_descriptors(settings: Settings) -> Settings:
    """Raise the limit of open files as far as the system allows; return settings whose connections fit into it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.max_connections + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return settings
    soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return dataclasses.replace(settings, max_connections=max(1, min(settings.max_connections, soft - _OTHER_FILES)))
