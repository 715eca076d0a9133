"""A gunicorn worker: a loop of greenlets that reads, answers and writes, beside threads that run graphs.

One thread runs all Python of a process's requests, so that they never wait for each other's interpreter lock; one of
gunicorn's own workers of threads was measured and spends three quarters of its time handing requests over. Clients
hold greenlets, not threads: those that stall cost a socket each.
"""

import errno
import logging
import math
import os
import signal
import sys
import time
from typing import Any

import gevent
from gevent import socket as gevent_socket
from gevent.hub import get_hub
from gunicorn.workers import base

from bundle.errors import SeqserveError
from service.context import SERVICE, Service
from service.engine.waiting import LoopEvent
from service.errors import OverloadedError
from service.memory import resident_bytes
from service.server.connection import Connection
from service.server.drain_listener import take_the_last
from service.server.watchdog import Watchdog
from service.settings import Settings

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
"""Signals that end a process."""

BOOT_ERROR = 3
"""Exit status of a worker that could not start, and of a master none of whose workers can."""

_TICK_S = 1.0
_QUICK_GRACE_S = 1.0
_DRAIN_NEWS_S = 1.0  # a service manager sends SIGTERM to all processes at once
_LINGER_S = 2.0
"""How long a worker that is to end keeps connections on which nothing is being asked."""
_LONG_LINGER_S = 15.0
"""The same where others go on serving, and there is time."""
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_NO_ROOM_PAUSE_S = 0.05
_LOOK_S = 0.05
_YIELD_S = 0.001
_MOST_YIELDS = 5
_MOST_AT_ONCE = 16
"""Of a flood of connections so many are taken before clients that are there get their turn."""
_ONE_IN = 16
_DECAY = 0.7


class Worker(base.Worker):  # type: ignore[misc]
    """One process."""

    alive: bool
    slot = 0
    """Of the shared state; given by the master before the fork."""

    def init_process(self) -> None:
        """Make the loop of this process, then go on as gunicorn does."""
        self.settings: Settings = self.app.settings
        get_hub().threadpool.maxsize = self.settings.threads
        self._woken = LoopEvent()
        self._connections: set[Connection] = set()
        self._num_requests = 0
        self._num_answered = 0
        self._num_buffered_bytes = 0
        self._answers_per_s = 0.0
        self._quit_at = math.inf
        super().init_process()

    def init_signals(self) -> None:
        """Listen to signals, which the master has held back since before the fork."""
        super().init_signals()
        signal.signal(signal.SIGALRM, self.handle_alarm)
        signal.siginterrupt(signal.SIGALRM, False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)

    def load_wsgi(self) -> None:
        """Open the models; the master is told why one cannot be opened."""
        try:
            super().load_wsgi()
        except Exception as error:
            self.app.shared.report_failure(str(error) if isinstance(error, SeqserveError) else repr(error))
            sys.exit(BOOT_ERROR)
        self._parts: Service = self.wsgi.extensions[SERVICE]

    # What connections ask for.

    def begin_request(self) -> None:
        """Count a request in."""
        self._num_requests += 1

    def end_request(self) -> None:
        """Count a request out."""
        self._num_requests -= 1
        self._num_answered += 1

    @property
    def is_full(self) -> bool:
        """Whether as many requests are being answered as this process takes."""
        return self._num_requests >= self.settings.max_requests

    def overload(self) -> OverloadedError:
        """Return the error for one request more than that."""
        return self._excess(f"{self._num_requests} requests are being answered, the limit of a process (max_requests).")

    def reserve(self, num_bytes: int) -> OverloadedError | None:
        """Hold memory for a large body until `release`; return the error when there is none."""
        if self._num_buffered_bytes + num_bytes > self.settings.max_buffered_bytes:
            return self._excess("Too many large bodies are being read or answered (max_buffered_bytes).")
        self._num_buffered_bytes += num_bytes
        return None

    def release(self, num_bytes: int) -> None:
        """Give memory back."""
        self._num_buffered_bytes -= num_bytes

    @property
    def sends_away(self) -> bool:
        """Whether a client that is answered should make another connection, which somebody else will take.

        So it is when this server is about to stop. When another worker holds far fewer connections, because it is new
        or many have just left it, clients go one by one.
        """
        if not self.alive or self.app.shared.is_draining:
            return True
        if (self._num_answered + self._num_requests) % _ONE_IN:
            return False
        has_far_more: bool = self.app.shared.has_far_more(len(self._connections))
        return has_far_more

    def _excess(self, detail: str) -> OverloadedError:
        self._parts.telemetry.count_rejected(OverloadedError.code)
        wait_s = math.ceil(self._num_requests / max(self._answers_per_s, 1.0))
        return OverloadedError(detail, retry_after_s=max(1, wait_s))

    # The life of a worker.

    def run(self) -> None:
        """Serve until told to stop; what has not ended by the end of the grace is cut."""
        watchdog = Watchdog(self._parts.registry, stuck_s=self.settings.stuck_s)
        watchdog.start()
        gevent.spawn(self._heed_signals)
        acceptors = [gevent.spawn(self._accept, listener) for listener in self.sockets]
        self._report()
        while self.alive:
            self._tick()
            watchdog.beat()
            self._woken.wait(_TICK_S)
            self._woken.clear()
        gevent.killall(acceptors)
        for listener in self.sockets:
            self._take_the_last(listener)
        self._finish(watchdog)
        # Threads that wait for a graph, or for clients that were cut, must not hold the process.
        logging.shutdown()
        os._exit(0)

    def _tick(self) -> None:
        self.notify()
        if self.ppid != os.getppid():
            self.log.info("the master has gone: stopping")
            self.alive = False
        answered, self._num_answered = self._num_answered, 0
        self._answers_per_s = _DECAY * self._answers_per_s + (1 - _DECAY) * answered / _TICK_S
        for connection in self._connections:
            if connection.is_idle(self.settings.keep_alive_s):
                connection.hurry()
        telemetry = self._parts.telemetry
        telemetry.set_process(resident_bytes=resident_bytes(), num_connections=len(self._connections))
        for model in self._parts.registry.models:
            telemetry.set_queue_tokens(model.manifest.name, model.batcher.pending_tokens)

    def _finish(self, watchdog: Watchdog) -> None:
        """Wait for what is being answered; idle clients get a moment to say what they may be about to say."""
        begun_at = time.monotonic()
        linger_s = _LINGER_S if self.app.shared.is_draining else _LONG_LINGER_S
        while self._connections:
            now = time.monotonic()
            if now >= min(begun_at + self.cfg.graceful_timeout, self._quit_at):
                return
            self.notify()
            watchdog.beat()
            if now >= begun_at + linger_s:
                for connection in self._connections:
                    connection.hurry()
            gevent.sleep(_LOOK_S)

    # Connections.

    def _accept(self, listener: Any) -> None:
        """Take connections, evenly with the other workers: one that took more would answer its clients more slowly."""
        listener.setblocking(False)
        hub = get_hub()
        arrival = hub.loop.io(listener.fileno(), 1)
        while True:
            hub.wait(arrival)
            if self._is_for_operators(listener):
                self._take(listener)
                continue
            self._let_others_first()
            self._make_room()
            num_wanted = min(_MOST_AT_ONCE, max(1, self._num_fair() - len(self._connections)))
            while num_wanted and self._take(listener):
                num_wanted -= 1

    def _num_fair(self) -> int:
        fair: int = self.app.shared.fair_connections()
        return min(fair, self.settings.max_connections)

    def _let_others_first(self) -> None:
        for _ in range(_MOST_YIELDS):
            if len(self._connections) < self._num_fair():
                return
            gevent.sleep(_YIELD_S)

    def _make_room(self) -> None:
        """Wait until there is room for another connection; clients that say nothing make room for one that does."""
        while len(self._connections) >= self.settings.max_connections:
            for connection in self._connections:
                if connection.is_idle():
                    connection.hurry()
                    break
            gevent.sleep(_YIELD_S)

    def _take(self, listener: Any) -> bool:
        """Accept a connection, if one is there."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno in _NO_ROOM:
                self.log.warning("cannot accept a connection: %s", error.strerror)
                gevent.sleep(_NO_ROOM_PAUSE_S)  # it stays in the kernel's queue, and would be tried again at once
            elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return False
        self._begin(client, (address, listener.getsockname()), for_operators=self._is_for_operators(listener))
        return True

    def _take_the_last(self, listener: Any) -> None:
        here, for_operators = listener.getsockname(), self._is_for_operators(listener)
        # Workers that are replaced leave the listener to others.
        for client, address in take_the_last(listener, for_all=self.app.shared.is_draining):
            self._begin(client, (address, here), for_operators=for_operators)

    def _begin(self, client: Any, addresses: tuple[Any, Any], *, for_operators: bool) -> None:
        socket = gevent_socket.socket(client.family, client.type, client.proto, fileno=client.detach())
        connection = Connection(self, socket, addresses, for_operators=for_operators)
        self._connections.add(connection)
        self._report()
        gevent.spawn(self._serve, connection)

    def _is_for_operators(self, listener: Any) -> bool:
        return listener is not self.sockets[0]

    def _serve(self, connection: Connection) -> None:
        try:
            connection.serve()
        except Exception as error:
            self.log.error("a connection failed", exc_info=error)
        finally:
            self._connections.discard(connection)
            self._report()

    def _report(self) -> None:
        self.app.shared.report(self.slot, num_connections=len(self._connections))

    # Signals: their handlers run between any two steps of whatever greenlet runs, which may hold any lock, and so they
    # only leave notes.

    def _heed_signals(self) -> None:
        """Go round for each signal: a loop that waits in the kernel would not see that a handler has to run."""
        while True:
            gevent_socket.wait_read(self.PIPE[0])
            os.read(self.PIPE[0], 4096)
            self._woken.set()

    def handle_exit(self, sig: Any, frame: Any) -> None:
        """Stop gracefully: at once when the master asks for it, else unless the server drains a moment later."""
        if self.app.shared.is_retired(self.slot) or self.ppid != os.getppid():
            self.alive = False
        else:
            signal.setitimer(signal.ITIMER_REAL, _DRAIN_NEWS_S)

    def handle_alarm(self, sig: Any, frame: Any) -> None:
        """Heed a SIGTERM that the master did not announce; if the server drains, the master will say when."""
        if not self.app.shared.is_draining:
            self.alive = False

    def handle_quit(self, sig: Any, frame: Any) -> None:
        """Stop soon: at once when asked twice."""
        if not self.alive:
            os._exit(0)
        self._quit_at = time.monotonic() + _QUICK_GRACE_S
        self.alive = False
