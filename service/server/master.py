"""gunicorn's master process: drains before it stops, takes new bundles in, says in one sentence why it cannot start."""

import logging
import signal
import sys
import time
from collections.abc import Iterable
from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

from bundle.errors import SeqserveError
from service.app import make_registry
from service.engine.registry import Registry
from service.server.forked_check import Trial
from service.server.worker import STOPS

_NEW_WORKERS_LIMIT_S = 120.0
_LOOK_S = 0.05

logger = logging.getLogger("seqserve")


class ReloadError(SeqserveError):
    """New bundles were not taken; the message says why."""


class Master(Arbiter):  # type: ignore[misc]
    """The process that starts, replaces and stops workers."""

    def __init__(self, server: Any) -> None:
        super().__init__(server)
        self._server = server
        self._shared = server.shared
        self._drain_s = server.settings.drain_s
        self._is_halting = False
        self._retiring: set[int] = set()
        # The worker's own sentence says it all.
        logging.getLogger("gunicorn.error").addFilter(lambda record: not self._shared.failure)

    def free_slot(self) -> int:
        """Return a slot of the shared state that no worker has."""
        taken = {worker.slot for worker in self.WORKERS.values()}
        return next(slot for slot in range(self._shared.num_slots) if slot not in taken)

    def spawn_worker(self) -> int:
        """Start a worker. What it is told before it listens to signals waits until it does, and is not lost."""
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        try:
            number: int = super().spawn_worker()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        return number

    def spawn_workers(self) -> None:
        """Start the first workers at once: gunicorn pauses between them, which would delay readiness."""
        if self.worker_age:  # one that dies again and again must not take a whole core
            super().spawn_workers()
            return
        for _ in range(self.num_workers - len(self.WORKERS)):
            self.spawn_worker()

    def manage_workers(self) -> None:
        """Replace workers that have ended; those that are about to end count as gone."""
        leaving = {number: self.WORKERS.pop(number) for number in self._retiring if number in self.WORKERS}
        self._retiring = set(leaving)
        try:
            super().manage_workers()
        finally:
            self.WORKERS.update(leaving)

    def handle_term(self) -> None:
        """Fail readiness, go on serving for drain_s, then stop gracefully."""
        self._shared.start_draining(self._drain_s)
        until = time.monotonic() + self._drain_s
        while (left_s := until - time.monotonic()) > 0:
            for received in self.wait_for_signals(timeout=left_s):
                if received in (signal.SIGINT, signal.SIGQUIT):
                    self.handle_int()
            self.reap_workers()
            self.manage_workers()
        super().handle_term()

    def handle_hup(self) -> None:
        """Serve what the folder of models holds now, or go on as before and say why."""
        started_at = time.monotonic()
        try:
            registry = self._checked()
            if registry is None:
                logger.info("SIGHUP: the models are what they were; nothing to do")
                return
            self._replace_workers(registry)
        except SeqserveError as error:
            logger.error("SIGHUP: %s. The models of before go on being served.", str(error).rstrip("."))
        else:
            logger.info("SIGHUP: serving %s after %.1f s", ", ".join(registry.names), time.monotonic() - started_at)

    def _checked(self) -> Registry | None:
        """Check the folder; return its models, None when they are those of before. Raises SeqserveError."""
        settings, known = self._server.settings, self._server.registry.checked
        # In a process of its own first: a file that makes the runtime crash must not take this one with it.
        trial = Trial(lambda: make_registry(settings, known))
        while not trial.is_over(_LOOK_S):
            self._look_around()
        trial.check()
        registry = make_registry(settings, known)
        now = registry.checked
        is_same = now.keys() == known.keys() and all(now[name] is known[name] for name in now)
        return None if is_same else registry

    def _replace_workers(self, registry: Registry) -> None:
        """Start workers with other models, and end the old ones once all of those serve. Raises ReloadError."""
        before, old = self._server.registry, set(self.WORKERS)
        self._server.use(registry)
        new = [self.spawn_worker() for _ in range(self.num_workers)]
        try:
            self._wait_for(new)
        except ReloadError:
            self._server.use(before)
            for number in set(new) & self.WORKERS.keys():
                self._retiring.add(number)
                self.kill_worker(number, signal.SIGKILL)
            raise
        self._retiring |= old & self.WORKERS.keys()
        for number in self._retiring:
            self.kill_worker(number, signal.SIGTERM)

    def _wait_for(self, workers: Iterable[int]) -> None:
        until = time.monotonic() + _NEW_WORKERS_LIMIT_S
        while not all(number in self.WORKERS and self._shared.serves(self.WORKERS[number].slot) for number in workers):
            self._look_around()
            if self._shared.failure:
                reason = self._shared.failure
                self._shared.report_failure("")
                raise ReloadError(reason)
            if not all(number in self.WORKERS for number in workers):
                raise ReloadError("a new worker ended before it served")
            if time.monotonic() > until:
                raise ReloadError(f"the new workers did not serve within {_NEW_WORKERS_LIMIT_S:.0f} s")
            time.sleep(_LOOK_S)

    def _look_around(self) -> None:
        """Collect ended workers while something else goes on; raises ReloadError when the server is to stop."""
        for received in self.wait_for_signals(timeout=0.001):
            if received in STOPS:
                self.SIG_QUEUE.put(received)
                raise ReloadError("the server has been told to stop")
        self.reap_workers()

    def reap_workers(self) -> None:
        """Collect ended workers; one that could not start halts the server, once, unless others serve."""
        try:
            super().reap_workers()
        except HaltServer:
            if self._is_halting or any(self._shared.serves(worker.slot) for worker in self.WORKERS.values()):
                return
            raise

    def halt(self, reason: str | None = None, exit_status: int = 0) -> None:
        """Stop everything and exit."""
        self._is_halting = True
        if self._shared.failure:
            print(f"seqserve: {self._shared.failure}", file=sys.stderr, flush=True)
        super().halt(reason, exit_status)


def prepare_worker(master: Master, worker: Any) -> None:
    """Give a worker that is about to be forked its slot; called by gunicorn."""
    worker.slot = master.free_slot()
    master._shared.clear(worker.slot)
    master._server.telemetry.retire(worker.slot)  # of one that could not start gunicorn does not tell


def retire_worker(master: Master, worker: Any) -> None:
    """Forget a worker that has ended; called by gunicorn."""
    master._shared.clear(worker.slot)
    master._server.telemetry.retire(worker.slot)
