"""SIGHUP: check the models again, and replace the workers once new ones serve the new models."""

import logging
import signal
import time
from typing import Any

from seqserve.errors import SeqserveError
from seqserve.service.app import make_registry
from seqserve.service.engine.registry import Registry
from seqserve.service.server.checking import ModelCheck
from seqserve.service.server.master import Master
from seqserve.service.server.worker import STOPS

_NEW_WORKERS_LIMIT_S = 120.0
_LOOK_S = 0.05

logger = logging.getLogger("seqserve")


class StoppingError(SeqserveError):
    """The server is to stop during a reload."""


class ReloadingMaster(Master):
    """A master that reloads models: new workers start beside the old ones, which serve until all new ones do."""

    def __init__(self, server: Any) -> None:
        super().__init__(server)
        self._deferred: list[int] = []  # signals that came during a reload
        self._new_workers: set[int] = set()
        self._new_worker_failure = ""

    def handle_hup(self) -> None:
        """Reload the models; when that fails, keep the current ones and log why.

        Another SIGHUP during the reload is handled afterwards: the folder may have changed since it was read.
        """
        try:
            self._reload()
        except StoppingError:
            logger.info("SIGHUP: the reload was cancelled, because the server is about to stop")
        except SeqserveError as error:
            logger.error("SIGHUP: %s. The server keeps its previous models.", str(error).rstrip("."))
        deferred, self._deferred = self._deferred, []
        for received in deferred:
            self.SIG_QUEUE.put(received)

    def _reload(self) -> None:
        """Check the folders of models and serve them; raises SeqserveError, after which everything is as before."""
        started_at = time.monotonic()
        registry = self._checked()
        if registry is None:
            logger.info("SIGHUP: the models have not changed")
            return
        self._wait_for_slots()
        before = self._server.registry
        self._server.use(registry)
        try:
            self._start_new_workers()
        except (OSError, SeqserveError) as error:
            for number in self._new_workers & self.WORKERS.keys():
                self.retire_worker(number, signal.SIGKILL)
            self._server.use(before)
            if isinstance(error, OSError):
                raise SeqserveError(f"a process cannot be started: {error}") from error
            raise
        else:
            for number in self.WORKERS.keys() - self._new_workers - self._retiring:
                self.retire_worker(number)
            self._failures.clear()
        finally:
            self._new_workers = set()
        logger.info("SIGHUP: serving %s after %.1f s", ", ".join(registry.names), time.monotonic() - started_at)
        logger.info("requests that name no model: %s", registry.described_defaults)

    def _checked(self) -> Registry | None:
        """Check the folders in a process; return their models, or None when they have not changed."""
        settings, known = self._server.settings, self._server.registry.checked
        reports = [item.report for item in known.values() if item.report is not None]
        with ModelCheck(settings.models, provider=settings.provider, known=reports) as check:
            while not check.is_over(_LOOK_S):
                self._look_after_workers()
            registry = make_registry(settings, check.result(), known)
        now = registry.checked
        is_same = now.keys() == known.keys() and all(now[name] is known[name] for name in now)
        return None if is_same else registry

    def _wait_for_slots(self) -> None:
        """Wait while workers of earlier reloads, which may still be answering, have the slots of new ones."""
        until = time.monotonic() + _NEW_WORKERS_LIMIT_S
        while self._shared.num_slots - len(self.WORKERS) < 2 * self.num_workers:
            if time.monotonic() > until:
                raise SeqserveError("too many workers of earlier reloads have not ended")
            time.sleep(_LOOK_S)
            self._look_after_workers()

    def _start_new_workers(self) -> None:
        """Start `num_workers` new workers and wait until all of them serve; raises OSError and SeqserveError."""
        self._new_worker_failure = ""
        for _ in range(self.num_workers):
            self._new_workers.add(self.spawn_worker())
        until = time.monotonic() + _NEW_WORKERS_LIMIT_S
        while not self._new_workers_serve():
            if time.monotonic() > until:
                raise SeqserveError(f"the new workers did not serve within {_NEW_WORKERS_LIMIT_S:.0f} s")
            time.sleep(_LOOK_S)
            self._look_around()

    def _new_workers_serve(self) -> bool:
        """Return whether every new worker serves; raises SeqserveError when one has ended."""
        if self._new_worker_failure:
            raise SeqserveError(self._new_worker_failure)
        if not self._new_workers <= self.WORKERS.keys():
            raise SeqserveError("a new worker ended before all of them served")
        return all(self._shared.serves(self.WORKERS[number].slot) for number in self._new_workers)

    def note_failed_start(self, number: int, code: int, reason: str) -> None:
        """Fail the reload when a new worker could not start."""
        if number in self._new_workers:
            self._new_worker_failure = reason
        else:
            super().note_failed_start(number, code, reason)

    def _look_around(self) -> None:
        """Collect ended workers; other signals wait for the end of the reload. Raises StoppingError."""
        received = self.wait_for_signals(timeout=0.001)
        self._deferred += [each for each in received if each != signal.SIGCHLD and each not in self._deferred]
        if any(each in STOPS for each in self._deferred):
            raise StoppingError("the server is about to stop")
        self.reap_workers()

    def _look_after_workers(self) -> None:
        """Collect ended workers and replace those that have ended or do not start."""
        self._look_around()
        self.murder_workers()
        self.manage_workers()
