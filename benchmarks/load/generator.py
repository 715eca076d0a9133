"""A load generator that costs a few microseconds a request, in a process of its own.

One thread, epoll, requests made beforehand. `drive` does the work; `Generators` are processes that do it, so that the
load shares neither the interpreter's lock nor the garbage of the process that measures.
"""

import gc
import heapq
import multiprocessing
import resource
import select
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from benchmarks.load.connection import Answer, BrokenConnectionError, Connection
from benchmarks.load.plan import Load, Outcome

_IN, _OUT = select.EPOLLIN, select.EPOLLOUT
_RETRY_S = 0.01
"""Pause of a client of a closed loop whose connection broke: a server that is down must not be hammered."""
_COARSE_S = 0.005
_TAIL_S = 0.05
_FLOOD_PER_S = 2_000
"""From that rate on it wakes every _TICK_S and not for each answer, which would take an eighth of a core more."""
_TICK_S = 0.001


def drive(load: Load) -> Outcome:
    """Send the load and return what came of it; takes warm_up_s + seconds, and the grace while answers are missing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    collects = gc.isenabled()
    gc.disable()  # a collection would be measured as a slow answer
    try:
        driver = _Driver(load)
        return driver.run()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if collects:
            gc.enable()


@contextmanager
def generators(num_processes: int = 2) -> Iterator[ProcessPoolExecutor]:
    """Yield processes for `submit(drive, load)`, each of which drives one load at a time."""
    with ProcessPoolExecutor(num_processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


class _Driver:
    """The state of one run."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._outcome = Outcome(seconds=load.seconds)
        self._poller = select.epoll()
        self._connections: dict[int, Connection] = {}  # by file descriptor
        self._idle: dict[Connection, None] = {}  # of an open loop, the last used at the end
        self._late: deque[float] = deque()  # when requests were due that found no connection, in order
        self._retries: list[float] = []  # when broken clients of a closed loop come back
        self._num_next = 0
        self._num_due = 0  # requests of an open loop whose time has come
        self._started_at = 0.0
        self._counts_from = 0.0
        self._ends_at = 0.0
        self._num_awaited = 0  # sent before the end and not answered yet

    def run(self) -> Outcome:
        """Drive to the end."""
        load, outcome = self._load, self._outcome
        cpu_at_start, now = time.process_time(), time.perf_counter()
        self._counts_from = now + load.warm_up_s
        self._ends_at = self._counts_from + load.seconds
        for _ in range(load.clients):
            self._send_next(now)
        self._started_at = now
        limit = self._ends_at + load.grace_s
        while (now := time.perf_counter()) < self._ends_at:
            if load.rate:
                pause_s = min(self._send_all_due(now), self._ends_at) - now
                if load.rate >= _FLOOD_PER_S and pause_s > 0:
                    time.sleep(_TICK_S)
                    pause_s = 0.0
            else:
                while self._retries and self._retries[0] <= now:
                    heapq.heappop(self._retries)
                    self._send_next(now)
                pause_s = min(self._retries[0], self._ends_at) - now if self._retries else self._ends_at - now
            self._look(pause_s)
        if load.rate:
            self._send_all_due(self._ends_at)  # what came due in the last pause
        # A closed loop is kept up until all that was sent in it is answered: what counts of a request that is answered
        # later is the share of its time that lies within, and without the others it would be answered sooner.
        while self._num_awaited and (now := time.perf_counter()) < limit:
            self._look(min(_TAIL_S, limit - now))
        self._ends_at = 0.0
        self._finish(limit)
        outcome.cpu_s = time.process_time() - cpu_at_start
        return outcome

    def _look(self, pause_s: float) -> None:
        """Deal with what has happened to connections, waiting for it for so long."""
        if 0 < pause_s < _COARSE_S:
            select.select([self._poller], [], [], pause_s)  # epoll itself counts in whole milliseconds
            pause_s = 0.0
        for descriptor, events in self._poller.poll(max(0.0, pause_s)):
            connection = self._connections[descriptor]
            try:
                if events & _OUT and connection.send():
                    self._poller.modify(descriptor, _IN)
                if events & ~_OUT:
                    if connection.request is None:
                        self._drop(connection)  # the server has closed an idle connection, as it may
                        continue
                    answer = connection.receive()
                    if answer is not None:
                        self._take(connection, answer)
            except (BrokenConnectionError, ValueError):
                self._break(connection)

    def _send_next(self, now: float) -> None:
        """Closed loop: a new connection sends the next request."""
        connection = self._open()
        if connection is None:
            self._count_broken(now)
            heapq.heappush(self._retries, now + _RETRY_S)
        else:
            self._send(connection, now)

    def _send_all_due(self, now: float) -> float:
        """Open loop: send what is due by now; return when the next request is."""
        while (due := self._started_at + self._num_due / self._load.rate) <= now:
            self._num_due += 1
            self._send_due(due)
        return due

    def _send_due(self, due: float) -> None:
        """Open loop: send a request on a free connection or on a new one."""
        connection = self._idle.popitem()[0] if self._idle else None
        if connection is None:
            if len(self._connections) >= self._load.max_connections:
                self._late.append(due)
                return
            connection = self._open()
        if connection is None:
            self._count_sent(due)
            self._count_broken(due)
        else:
            self._send(connection, due)

    def _open(self) -> Connection | None:
        try:
            connection = Connection(self._load.port, self._load.source)
        except (OSError, BrokenConnectionError):
            return None
        descriptor = connection.socket.fileno()
        self._connections[descriptor] = connection
        self._outcome.most_connections = max(self._outcome.most_connections, len(self._connections))
        self._poller.register(descriptor, _IN | _OUT)  # sends when it is connected
        return connection

    def _send(self, connection: Connection, due: float) -> None:
        is_new = connection.request is None and not connection.due
        request = self._load.requests[self._num_next % len(self._load.requests)]
        self._num_next += 1
        connection.begin(request, due)
        connection.counts = self._count_sent(due)
        self._num_awaited += due < self._ends_at
        if is_new:
            return
        try:
            if not connection.send():
                self._poller.modify(connection.socket.fileno(), _IN | _OUT)
        except BrokenConnectionError:
            self._break(connection)

    def _take(self, connection: Connection, answer: Answer) -> None:
        """Count an answer and let the connection go on."""
        now = time.perf_counter()
        request, outcome = connection.request, self._outcome
        connection.request = None
        assert request is not None
        outcome.num_total += 1
        self._num_awaited -= connection.due < self._ends_at
        is_counted = connection.counts if self._load.rate else self._counts_from <= now < self._ends_at
        if is_counted:
            outcome.statuses[answer.status] = outcome.statuses.get(answer.status, 0) + 1
            (outcome.good_s if answer.status == 200 else outcome.other_s).append(now - connection.due)
        if answer.status == 200:
            outcome.num_units += request.units * (is_counted if self._load.rate else self._share(connection.due, now))
            if request.expected is not None and answer.body != request.expected:
                outcome.num_different += 1
        if answer.closes:
            self._drop(connection)
        if self._load.clients:
            if now >= self._ends_at and not self._num_awaited:
                return
            if answer.closes:
                self._send_next(now)
            else:
                self._send(connection, now)
        elif self._late:
            due = self._late.popleft()
            if answer.closes:
                self._send_due(due)
            else:
                self._send(connection, due)
        elif not answer.closes:
            self._idle[connection] = None

    def _share(self, since: float, now: float) -> float:
        """How much of a request's time lies within the time that counts, 0 to 1."""
        return max(0.0, min(now, self._ends_at) - max(since, self._counts_from)) / max(now - since, 1e-9)

    def _count_sent(self, due: float) -> bool:
        counts = self._counts_from <= due < self._ends_at
        self._outcome.num_sent += counts
        return counts

    def _count_broken(self, when: float) -> None:
        self._outcome.num_broken += self._counts_from <= when

    def _break(self, connection: Connection) -> None:
        now = time.perf_counter()
        self._count_broken(connection.due if self._load.rate else now)
        self._num_awaited -= connection.request is not None and connection.due < self._ends_at
        self._drop(connection)
        if self._late:
            self._send_due(self._late.popleft())
        if self._load.clients and now < self._ends_at:
            heapq.heappush(self._retries, now + _RETRY_S)

    def _drop(self, connection: Connection) -> None:
        descriptor = connection.socket.fileno()
        self._poller.unregister(descriptor)
        del self._connections[descriptor]
        connection.socket.close()
        self._idle.pop(connection, None)

    def _finish(self, limit: float) -> None:
        """Wait for what is still to be answered, then close everything."""
        while any(each.request is not None for each in self._connections.values()):
            now = time.perf_counter()
            if now >= limit:
                break
            self._look(min(_TAIL_S, limit - now))
        waiting = [each for each in self._connections.values() if each.request is not None]
        self._outcome.num_hung = len(waiting) + len(self._late)
        for connection in self._connections.values():
            connection.socket.close()
        self._poller.close()
