"""Run the check of bundles in a process of its own, and receive its reports."""

import contextlib
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from seqserve.errors import SeqserveError
from seqserve.service.engine.reports import BundleReport, Checking, CheckOrder, Failed, Finished, Skipped

MODULE = "seqserve.service.server.check_models"
PROGRESS_LIMIT_S = 120.0
"""The longest silence of a check, which reports each bundle."""

_REAP_LIMIT_S = 5.0
_WAIT_S = 1.0
_READ_BYTES = 65_536

logger = logging.getLogger("seqserve")

_decoder = msgspec.json.Decoder(BundleReport | Checking | Skipped | Failed | Finished)


class CheckError(SeqserveError):
    """A check of bundles has failed; the message names the bundle and the reason."""


class ModelCheck:
    """A process that checks the bundles of folders of models; ended by `stop`, or by leaving the `with` block.

    It is executed, not forked: it inherits no listener, no signal handler and no lock. It has a session of its own, so
    that signals for the server's process group do not reach it. Where the kernel can, it ends the process with the
    server.
    """

    def __init__(self, models: Sequence[Path], *, provider: str, known: Sequence[BundleReport] = ()) -> None:
        """Start the process. known: bundles that need no second check unless they have changed."""
        self._at = ", ".join(map(str, models)) or "the models"
        self._owner = os.getpid()
        order = CheckOrder(models=[os.fsencode(each) for each in models], provider=provider, parent=self._owner)
        words = [msgspec.json.encode(each).decode() for each in (order, *known)]
        # The same modules are imported there as here: -P keeps the working directory out unless it is in the path.
        paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", MODULE, *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": paths},
                start_new_session=True,
            )
        except OSError as error:
            raise CheckError(f"The process that checks {self._at} cannot be started: {error.strerror}.") from error
        assert self._process.stdout is not None
        self._output = self._process.stdout.fileno()
        self._begun = b""  # a line that has not ended
        self._received_at = time.monotonic()
        self._reports: list[BundleReport] = []
        self._failure = ""
        self._is_over = False

    def __enter__(self) -> "ModelCheck":
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def is_over(self, timeout_s: float) -> bool:
        """Wait for a message, at most `timeout_s` seconds; return whether the check has ended, with success or not."""
        if self._is_over:
            return True
        poll = select.poll()
        poll.register(self._output, select.POLLIN)
        if poll.poll(1000 * timeout_s):
            self._receive(os.read(self._output, _READ_BYTES))
        elif time.monotonic() - self._received_at > PROGRESS_LIMIT_S:
            self._end(f"checking {self._at} took longer than {PROGRESS_LIMIT_S:.0f} s and was given up")
        return self._is_over

    def wait(self) -> list[BundleReport]:
        """Wait until the check has ended, and return its result as `result` does."""
        while not self.is_over(_WAIT_S):
            pass
        return self.result()

    def result(self) -> list[BundleReport]:
        """Return the report of every bundle once the check is over; raises CheckError."""
        if self._failure:
            raise CheckError(self._failure)
        return self._reports

    def stop(self) -> None:
        """End the process if it still runs. Does nothing in a process that was forked meanwhile."""
        if os.getpid() != self._owner:
            return
        self._is_over = True
        with contextlib.suppress(ProcessLookupError):
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):  # a process that waits for a disk cannot be ended at once
            self._process.wait(_REAP_LIMIT_S)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _receive(self, data: bytes) -> None:
        if not data:
            self._end(f"checking {self._at} crashed the process that did it")
            return
        self._received_at = time.monotonic()
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines:
            try:
                self._note(_decoder.decode(line))
            except msgspec.MsgspecError as error:
                self._end(f"checking {self._at} gave a message that cannot be read: {error}")

    def _note(self, message: BundleReport | Checking | Skipped | Failed | Finished) -> None:
        if isinstance(message, Checking):
            self._at = os.fsdecode(message.folder)
        elif isinstance(message, Skipped):
            logger.warning("%s is not served: %s", os.fsdecode(message.folder), message.reason)
        elif isinstance(message, BundleReport):
            self._reports.append(message)
        elif isinstance(message, Failed):
            self._end(message.reason)
        else:
            self._end("")

    def _end(self, failure: str) -> None:
        if not self._is_over:
            self._failure = failure
            self._is_over = True
            self.stop()
