"""Write lines to a descriptor that may be full, closed or unread, without making their writers wait."""

import os
import select
import signal
import threading
import weakref
from collections import deque
from collections.abc import Callable
from itertools import accumulate

_ATOMIC_BYTES = select.PIPE_BUF
"""Writes of up to this many bytes to a pipe are not mixed with those of other processes."""
_POLL_MS = 500
_SETTLE_S = 0.05

_WRITERS: "weakref.WeakSet[LineWriter]" = weakref.WeakSet()


class LineWriter:
    """A bounded queue of lines, and one thread that writes them; lines that do not fit or fail are dropped.

    After a fork the queue of the child is empty: earlier lines belong to its parent.
    """

    pause_s = 1.0
    """Pause after a descriptor has failed."""

    def __init__(
        self,
        descriptor: int | None,
        *,
        max_lines: int = 20_000,
        max_bytes: int = 4 * 1024 * 1024,
        gather_s: float = 0.0,
        linger_s: float = 0.0,
    ) -> None:
        """Write to a descriptor; all lines are dropped when it is None.

        gather_s: wait for more lines after the first, so that many share a write.
        linger_s: wait for another line before the thread ends; 0 in a process that forks.
        """
        self._descriptor = descriptor
        self._max_lines = max_lines
        self._max_bytes = max_bytes
        self._gather_s = gather_s
        self._linger_s = linger_s
        self._on_drop: Callable[[int], None] | None = None
        self._begin()
        _WRITERS.add(self)

    def _begin(self) -> None:
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._lines: deque[bytes] = deque()
        self._num_bytes = 0
        self._num_put = 0
        self._num_done = 0  # lines that are written or dropped
        self.num_dropped = 0
        """The number of lines that this process has lost."""
        self._num_flushing = 0
        self._is_idle = False
        self._is_closed = False
        self._is_torn = False  # the last thing written was a piece of a line

    def report_drops(self, on_drop: Callable[[int], None]) -> None:
        """Call a function with the number of lost lines: at once for earlier losses, and at each loss."""
        with self._changed:
            self._on_drop = on_drop
            if self.num_dropped:
                on_drop(self.num_dropped)

    def put(self, line: bytes) -> None:
        """Queue a line, given without its end. Never waits for the output and never raises."""
        data = line + b"\n"
        with self._changed:
            self._num_put += 1
            if not self._has_room(len(data)):
                self._drop(1)
                return
            self._lines.append(data)
            self._num_bytes += len(data)
            if self._thread is None:
                self._start()
            elif self._is_idle:
                self._changed.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Wait until all queued lines are written or dropped, at most `timeout_s` seconds; return whether they are."""
        with self._changed:
            num_put = self._num_put
            self._num_flushing += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: self._num_done >= num_put, timeout_s)
            finally:
                self._num_flushing -= 1

    def close(self, timeout_s: float = 1.0) -> None:
        """End the thread once the queue is empty, waiting at most `timeout_s` seconds; drop later lines."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread:
            thread.join(timeout_s)

    def settle(self) -> None:
        """End the thread before a fork, unless it lingers or its descriptor blocks it for longer than _SETTLE_S."""
        with self._changed:
            thread = self._thread
        if thread and not self._linger_s and self.flush(_SETTLE_S):
            thread.join(_SETTLE_S)

    def _has_room(self, num_bytes: int) -> bool:
        if self._descriptor is None or self._is_closed:
            return False
        return len(self._lines) < self._max_lines and self._num_bytes + num_bytes <= self._max_bytes

    def _drop(self, num_lines: int) -> None:
        self._num_done += num_lines
        self.num_dropped += num_lines
        if self._on_drop:
            self._on_drop(num_lines)

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._write_all, name="line writer", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no more threads, or the interpreter is ending
            self._thread = None
            self._drop(len(self._lines))
            self._lines.clear()
            self._num_bytes = 0

    def _write_all(self) -> None:
        # Signals are for the main thread, which would not wake up for a signal to this thread.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while lines := self._next():
            num_lost = len(lines) - self._write(lines)
            with self._changed:
                self._num_bytes -= sum(map(len, lines))
                self._num_done += len(lines) - num_lost
                if num_lost:
                    self._drop(num_lost)
                self._changed.notify_all()
                if num_lost:
                    self._changed.wait_for(lambda: self._num_flushing or self._is_closed, self.pause_s)

    def _next(self) -> list[bytes]:
        """Wait for lines and take as many as fit into one write, at least one; none when the thread should end."""
        with self._changed:
            if not self._lines:
                self._is_idle = True
                self._changed.wait_for(lambda: self._lines or self._is_closed, self._linger_s)
                self._is_idle = False
                if not self._lines:
                    self._thread = None
                    return []
                self._changed.wait_for(lambda: self._num_flushing or self._is_closed, self._gather_s)
            taken = [self._lines.popleft()]
            num_bytes = len(taken[0])
            while self._lines and (num_bytes := num_bytes + len(self._lines[0])) <= _ATOMIC_BYTES:
                taken.append(self._lines.popleft())
            return taken

    def _write(self, lines: list[bytes]) -> int:
        """Write lines and return how many were written whole."""
        # The rest of a line that failed half way is lost, and the next line begins on a line of its own.
        prefix = b"\n" if self._is_torn else b""
        data = prefix + b"".join(lines)
        num_written = self._write_bytes(data)
        if num_written:
            self._is_torn = data[num_written - 1 : num_written] != b"\n"
        ends = list(accumulate(map(len, lines), initial=len(prefix)))[1:]
        return sum(end <= num_written for end in ends)

    def _write_bytes(self, data: bytes) -> int:
        """Write until all is written or the descriptor fails; return how many bytes were written."""
        assert self._descriptor is not None
        num_written = 0
        while num_written < len(data):
            try:
                num_written += os.write(self._descriptor, data[num_written:])
            except BlockingIOError:  # another process that has the same output made it so
                if self._is_closed or not self._wait_for_room():
                    break
            except OSError:
                break
        return num_written

    def _wait_for_room(self) -> bool:
        """Wait up to _POLL_MS for room in a descriptor that does not block; return whether another try makes sense."""
        poll = select.poll()
        poll.register(self._descriptor or 0, select.POLLOUT)
        return not any(event & (select.POLLERR | select.POLLNVAL) for _, event in poll.poll(_POLL_MS))


def _settle() -> None:
    for writer in list(_WRITERS):
        writer.settle()


def _begin_in_child() -> None:
    for writer in list(_WRITERS):
        writer._begin()


# A thread does not exist in the child of a fork. One that waits for a stalled output holds no lock meanwhile.
os.register_at_fork(before=_settle, after_in_child=_begin_in_child)
