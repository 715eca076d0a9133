"""gunicorn's master process: starts, replaces and stops workers, drains before it stops, and reloads models."""

import logging
import os
import signal
import sys
import time
from typing import Any, NoReturn

from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

from seqserve.errors import SeqserveError
from seqserve.service.server.reload import reload_models
from seqserve.service.server.start_failures import StartFailures
from seqserve.service.server.worker import BOOT_ERROR, STOPS

_RESPAWN_S = 0.05
"""Pause after each replacement of a worker: a worker that dies again and again must not take a whole core."""

logger = logging.getLogger("seqserve")


class StoppingError(SeqserveError):
    """The server was told to stop during another task."""


class SlotsTakenError(SeqserveError):
    """Every slot of the shared state belongs to a worker that has not ended."""


class Master(Arbiter):  # type: ignore[misc]
    """The process that starts, replaces and stops workers."""

    reexec_pid: int

    def __init__(self, server: Any) -> None:
        super().__init__(server)
        self._server = server
        self._shared = server.shared
        self._drain_s = server.settings.drain_s
        self._is_halting = False
        self._retiring: set[int] = set()
        self._failures = StartFailures()
        self._later: list[int] = []
        self._new_workers: set[int] = set()
        self._new_worker_failure = ""

    # Workers.

    def free_slot(self) -> int:
        """Return a slot of the shared state that no worker has; raises SlotsTakenError."""
        taken = {worker.slot for worker in self.WORKERS.values()}
        for slot in range(self._shared.num_slots):
            if slot not in taken:
                return slot
        raise SlotsTakenError(f"all {len(taken)} slots belong to workers that have not ended")

    def spawn_worker(self) -> int:
        """Start a worker; signals that it is sent before it listens to them are kept for it."""
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        try:
            number: int = super().spawn_worker()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        return number

    def manage_workers(self) -> None:
        """Start and retire workers until there are `num_workers`, not counting those that are about to end.

        After a failure workers are started one at a time, with growing pauses.
        """
        staying = {number: worker for number, worker in self.WORKERS.items() if number not in self._retiring}
        if len(staying) >= self.num_workers and all(self._shared.serves(each.slot) for each in staying.values()):
            self._failures.clear()
        num_missing = self.num_workers - len(staying)
        if self._failures:
            num_missing = min(num_missing, 1)
        for _ in range(num_missing):
            if self._failures.pause_left_s(time.monotonic()):
                break
            self._replace_one()
        oldest = sorted(staying, key=lambda number: staying[number].age)
        for number in oldest[: max(0, -num_missing)]:
            self.retire_worker(number)

    def _replace_one(self) -> None:
        is_first = self.worker_age < self.num_workers  # a pause between the first ones would delay readiness
        try:
            self.spawn_worker()
        except (OSError, SlotsTakenError) as error:
            self._note_failure(f"a process cannot be started: {error}")
        if not is_first:
            time.sleep(_RESPAWN_S)

    def retire_worker(self, number: int) -> None:
        """Ask a worker to end; another worker may be started at once."""
        self._retiring.add(number)
        self.kill_worker(number, signal.SIGTERM)

    def kill_worker(self, number: int, received: int) -> None:
        """Send a worker a signal; note a SIGTERM first, so that the worker knows that the master sent it."""
        if received == signal.SIGTERM and number in self.WORKERS:
            self._shared.retire(self.WORKERS[number].slot)
        super().kill_worker(number, received)

    def reap_workers(self) -> None:
        """Collect ended workers; raises HaltServer when none serves and one has just failed to start."""
        while (ended := _next_ended()) is not None:
            number, status = ended
            if number == self.reexec_pid:
                self.reexec_pid = 0
            worker = self.WORKERS.pop(number, None)
            if worker is not None:  # the first process of a container also gets the children of others
                self._note_end(number, worker, os.waitstatus_to_exitcode(status))

    def _note_end(self, number: int, worker: Any, code: int) -> None:
        has_served = self._shared.serves(worker.slot)
        was_retiring = number in self._retiring
        self._retiring.discard(number)
        reason = self._shared.take_failure() if code == BOOT_ERROR else ""
        worker.tmp.close()
        self.cfg.child_exit(self, worker)
        if has_served:
            if not was_retiring:
                self._failures.clear()  # it is replaced at once
            if code and not was_retiring:
                logger.error("worker %d %s", number, _how(code))
        elif code and not was_retiring and not self._is_halting:
            reason = reason or f"a worker {_how(code)} before it served"
            if number in self._new_workers:
                self._new_worker_failure = reason
            elif code != -signal.SIGKILL and not self._has_serving():
                raise HaltServer(reason, BOOT_ERROR)
            else:
                self._note_failure(reason)

    def _note_failure(self, reason: str) -> None:
        if self._failures.note(reason, time.monotonic()):
            logger.error("a worker could not start: %s. Others are tried, with growing pauses.", reason.rstrip("."))

    def _has_serving(self) -> bool:
        return any(
            self._shared.serves(worker.slot) for number, worker in self.WORKERS.items() if number not in self._retiring
        )

    # Signals.

    def wait_for_signals(self, timeout: float = 1.0) -> list[int]:
        """Return the received signals, those to stop first; waits no longer than until a worker must be started."""
        pause_s = self._failures.pause_left_s(time.monotonic())
        received: list[int] = super().wait_for_signals(timeout=min(timeout, pause_s) if pause_s else timeout)
        return sorted(received, key=lambda number: number not in STOPS)

    def look_around(self) -> None:
        """Collect ended workers during another task; other signals are kept until its end.

        Raises StoppingError when the server is to stop.
        """
        received = self.wait_for_signals(timeout=0.001)
        self._later += [each for each in received if each != signal.SIGCHLD and each not in self._later]
        if any(each in STOPS for each in self._later):
            raise StoppingError("the server has been told to stop")
        self.reap_workers()

    def look_after_workers(self) -> None:
        """Collect ended workers and replace those that have ended or do not start."""
        self.look_around()
        self.murder_workers()
        self.manage_workers()

    def handle_hup(self) -> None:
        """Reload the models; when that fails, keep the current ones and log why.

        Another SIGHUP during the reload is handled afterwards: the folder may have changed since it was read.
        """
        try:
            reload_models(self, self._server)
        except StoppingError:
            logger.info("SIGHUP: given up, because the server has been told to stop")
        except SeqserveError as error:
            logger.error("SIGHUP: %s. The models of before go on being served.", str(error).rstrip("."))
        later, self._later = self._later, []
        for received in later:
            self.SIG_QUEUE.put(received)

    def handle_term(self) -> None:
        """Fail readiness, serve for another `drain_s` seconds, then stop gracefully."""
        self._shared.start_draining(self._drain_s)
        until = time.monotonic() + self._drain_s
        while (left_s := until - time.monotonic()) > 0:
            for received in self.wait_for_signals(timeout=left_s):
                if received in (signal.SIGINT, signal.SIGQUIT):
                    self.handle_int()
            self.reap_workers()
            self.manage_workers()
        super().handle_term()

    def stop(self, graceful: bool = True) -> None:
        """Stop every worker; from now on their exit statuses are not failures."""
        self._is_halting = True
        super().stop(graceful)

    def halt(self, reason: str | None = None, exit_status: int = 0) -> NoReturn:
        """Stop everything and exit; print the reason when the exit status is not 0."""
        if exit_status:
            print(f"seqserve: {reason}", file=sys.stderr, flush=True)
            self.stop()
            sys.exit(exit_status)
        super().halt(reason)
        raise AssertionError("gunicorn's halt has returned")

    # A reload: new workers are started beside the old ones, which serve until all new ones do.

    def start_new_workers(self) -> set[int]:
        """Start `num_workers` new workers; raises OSError and SlotsTakenError."""
        self._new_workers, self._new_worker_failure = set(), ""
        for _ in range(self.num_workers):
            self._new_workers.add(self.spawn_worker())
        return self._new_workers

    def new_workers_serve(self) -> bool:
        """Return whether every new worker serves; raises SeqserveError when one has ended."""
        if self._new_worker_failure:
            raise SeqserveError(self._new_worker_failure)
        if not self._new_workers <= self.WORKERS.keys():
            raise SeqserveError("a new worker ended before all of them served")
        return all(self._shared.serves(self.WORKERS[number].slot) for number in self._new_workers)

    def retire_old_workers(self) -> None:
        """Retire every worker but the new ones."""
        for number in self.WORKERS.keys() - self._new_workers - self._retiring:
            self.retire_worker(number)
        self._new_workers = set()
        self._failures.clear()

    def kill_new_workers(self) -> None:
        """End the new workers at once."""
        for number in self._new_workers & self.WORKERS.keys():
            self._retiring.add(number)
            self.kill_worker(number, signal.SIGKILL)
        self._new_workers = set()


def _next_ended() -> tuple[int, int] | None:
    """Return process id and status of a child that has ended, or None."""
    try:
        number, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (number, status) if number else None


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with exit status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was ended by {name}" + (" (perhaps the memory has run out)" if name == "SIGKILL" else "")


def prepare_worker(master: Master, worker: Any) -> None:
    """Give a worker its slot; called by gunicorn before the fork."""
    worker.slot = master.free_slot()
    master._shared.clear(worker.slot)
    master._server.telemetry.retire(worker.slot)  # gunicorn does not report workers that could not start


def retire_worker(master: Master, worker: Any) -> None:
    """Forget a worker that has ended; called by gunicorn."""
    master._shared.clear(worker.slot)
    master._server.telemetry.retire(worker.slot)
