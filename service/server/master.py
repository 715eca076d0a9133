"""gunicorn's master process: starts, replaces and stops workers, and drains before it stops."""

import logging
import os
import signal
import sys
import time
from typing import Any, NoReturn

from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

from seqserve.errors import SeqserveError
from seqserve.service.server.worker import BOOT_ERROR, STOPS

_RESPAWN_S = 0.05
"""Pause after each replacement of a worker: a worker that dies again and again must not take a whole core."""

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
"""Pauses before the next start of a worker, after the first failure and after many failures."""

logger = logging.getLogger("seqserve")


class StartFailures:
    """Failed starts of workers, with pauses that double with each failure; times are monotonic seconds."""

    def __init__(self) -> None:
        self._reasons: set[str] = set()
        self._pause_s = 0.0
        self._due_at = 0.0

    def __bool__(self) -> bool:
        """Return whether a worker has failed to start since the last `clear`."""
        return bool(self._reasons)

    def note(self, reason: str, now: float) -> bool:
        """Note a failure; return whether its reason is new."""
        is_new = reason not in self._reasons
        self._reasons.add(reason)
        self._pause_s = min(2 * self._pause_s or FIRST_PAUSE_S, LONGEST_PAUSE_S)
        self._due_at = now + self._pause_s
        return is_new

    def pause_left_s(self, now: float) -> float:
        """Return the seconds until another worker may be started."""
        return max(0.0, self._due_at - now)

    def clear(self) -> None:
        """Forget all failures, because a worker has served."""
        self._reasons.clear()
        self._pause_s = 0.0
        self._due_at = 0.0


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

    # Workers.

    def prepare_worker(self, worker: Any) -> None:
        """Give a worker a free slot of the shared state; called by gunicorn before the fork. Raises SeqserveError."""
        taken = {other.slot for other in self.WORKERS.values()}
        free = [slot for slot in range(self._shared.num_slots) if slot not in taken]
        if not free:
            raise SeqserveError(f"all {len(taken)} slots belong to workers that have not ended")
        worker.slot = free[0]
        self._forget(worker)  # gunicorn does not report workers that could not start

    def _forget(self, worker: Any) -> None:
        self._shared.clear(worker.slot)
        self._server.telemetry.retire(worker.slot)

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
        except (OSError, SeqserveError) as error:
            self._note_failure(f"a process cannot be started: {error}")
        if not is_first:
            time.sleep(_RESPAWN_S)

    def retire_worker(self, number: int, received: int = signal.SIGTERM) -> None:
        """Send a worker a signal to end; another worker may be started at once."""
        self._retiring.add(number)
        self.kill_worker(number, received)

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
        self._forget(worker)
        if has_served:
            if not was_retiring:
                self._failures.clear()  # it is replaced at once
            if code and not was_retiring:
                logger.error("worker %d %s", number, _described_end(code))
        elif code and not was_retiring and not self._is_halting:
            self.note_failed_start(number, code, reason or f"a worker {_described_end(code)} before it served")

    def note_failed_start(self, number: int, code: int, reason: str) -> None:
        """Note that a worker could not start; raises HaltServer when no other serves, unless memory was short."""
        if code != -signal.SIGKILL and not self._has_serving():
            raise HaltServer(reason, BOOT_ERROR)
        self._note_failure(reason)

    def _note_failure(self, reason: str) -> None:
        if self._failures.note(reason, time.monotonic()):
            logger.error(
                "a worker could not start: %s. The server tries again after growing pauses.", reason.rstrip(".")
            )

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


def _next_ended() -> tuple[int, int] | None:
    """Return process id and status of a child that has ended, or None."""
    try:
        number, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (number, status) if number else None


def _described_end(code: int) -> str:
    if code >= 0:
        return f"ended with exit status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was ended by {name}" + (" (perhaps the memory has run out)" if name == "SIGKILL" else "")
