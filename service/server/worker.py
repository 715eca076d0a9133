"""Serve in a gunicorn worker: a loop of greenlets reads, answers and writes, and threads run graphs.

One thread runs the Python code of all requests, so that they never wait for each other's interpreter lock. gunicorn's
own worker of threads was measured: it spends three quarters of its time on handing requests over. A stalled client
holds a socket, not a thread.
"""

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

from seqserve.errors import SeqserveError
from seqserve.service.context import SERVICE, Service
from seqserve.service.engine.event_loop import LoopEvent
from seqserve.service.memory import resident_bytes
from seqserve.service.server.acceptor import Acceptor
from seqserve.service.server.connection import Connection
from seqserve.service.server.connections import Connections
from seqserve.service.server.host import State
from seqserve.service.server.room import Room
from seqserve.service.server.turns import Turns
from seqserve.service.server.watchdog import Watchdog
from seqserve.service.settings import Settings

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
"""Signals that end a process."""

BOOT_ERROR = 3
"""Exit status of a worker that could not start, and of a master none of whose workers could start."""

_TICK_S = 1.0
_QUICK_GRACE_S = 1.0
_DRAIN_NOTICE_S = 1.0  # the master drains within this time when a service manager sends SIGTERM to all processes
_LINGER_S = 2.0
"""Time for which a stopping worker keeps idle connections."""
_LONG_LINGER_S = 15.0
"""The same while other workers keep serving."""
_LOOK_S = 0.05
_SWEEP_S = 0.25
_ONE_IN = 16
_SWITCH_S = 0.001
"""After this time the loop asks another thread for the interpreter lock; Python's default is 5 ms."""


class Worker(base.Worker):  # type: ignore[misc]
    """A process that serves."""

    alive: bool
    slot = 0
    """Its slot of the shared state; set by the master before the fork."""

    def init_process(self) -> None:
        """Count in this worker's memory, make the loop of this process, then start as gunicorn's workers do."""
        self.app.telemetry.bind(self.slot)
        self.settings: Settings = self.app.settings
        get_hub().threadpool.maxsize = self.settings.threads
        sys.setswitchinterval(_SWITCH_S)
        self._woken = LoopEvent()
        self.turns = Turns(get_hub().loop)
        self.connections = Connections(self.settings)
        self._quit_at = math.inf
        super().init_process()

    def init_signals(self) -> None:
        """Listen to signals, which the master blocked before the fork."""
        super().init_signals()
        signal.signal(signal.SIGALRM, self.handle_alarm)
        signal.siginterrupt(signal.SIGALRM, False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)

    def load_wsgi(self) -> None:
        """Open the models; when one cannot be opened, report the reason to the master and exit."""
        try:
            super().load_wsgi()
        except Exception as error:
            self.app.shared.report_failure(str(error) if isinstance(error, SeqserveError) else repr(error))
            sys.exit(BOOT_ERROR)
        self._parts: Service = self.wsgi.extensions[SERVICE]
        self.clients = self._parts.clients
        self.room = Room(self.settings, self._parts.telemetry)

    # Called by connections.

    @property
    def sheds_clients(self) -> bool:
        """Whether clients should open a new connection, which another worker accepts.

        True when this worker is about to stop. When another worker holds far fewer connections, because it is new or
        has just lost many, True for one answer in `_ONE_IN`.
        """
        if not self.alive or self.app.shared.is_draining:
            return True
        if (self.room.num_answered + self.room.requests.held) % _ONE_IN:
            return False
        has_far_more: bool = self.app.shared.has_far_more(len(self.connections))
        return has_far_more

    def note(self, connection: Connection, state: State, until: float) -> None:
        """Set the state of a connection and its end, monotonic."""
        self.connections.note(connection, state, until)

    def forget(self, connection: Connection) -> None:
        """Remove a closed connection."""
        self.connections.forget(connection)
        self._report()

    # The life of a worker.

    def run(self) -> None:
        """Serve until told to stop, then finish requests for at most the grace period."""
        watchdog = Watchdog(self._parts.registry, stuck_s=self.settings.stuck_s)
        watchdog.start()
        gevent.spawn(self._watch_signals)
        gevent.spawn(self._sweep)
        acceptor = Acceptor(self, self.connections, self.app.shared, self._report)
        acceptor.start(self.sockets)
        self._report()
        while self.alive:
            self._tick()
            watchdog.beat()
            self._woken.wait(_TICK_S)
            self._woken.clear()
        acceptor.stop(for_all=self.app.shared.is_draining)
        self._finish(watchdog)
        # A normal exit would wait for threads that still run a graph.
        logging.shutdown()
        os._exit(0)

    def _tick(self) -> None:
        self.notify()
        if self.ppid != os.getppid():
            self.log.info("the master process has ended: this worker stops")
            self.alive = False
        self.room.tick(_TICK_S)
        telemetry = self.app.telemetry
        telemetry.set_process(resident_bytes=resident_bytes(), num_connections=len(self.connections))
        for model in self._parts.registry.models:
            telemetry.set_queue_tokens(model.manifest.name, model.batcher.pending_tokens)

    def _sweep(self) -> None:
        while True:
            gevent.sleep(_SWEEP_S)
            self.connections.sweep()

    def _finish(self, watchdog: Watchdog) -> None:
        """Wait for the running requests; keep idle connections for a moment, because a request may be on its way."""
        begun_at = time.monotonic()
        linger_s = _LINGER_S if self.app.shared.is_draining else _LONG_LINGER_S
        while not self.connections.is_empty:
            now = time.monotonic()
            if now >= min(begun_at + self.cfg.graceful_timeout, self._quit_at):
                return
            self.notify()
            watchdog.beat()
            if now >= begun_at + linger_s:
                self.connections.close_idle()
            gevent.sleep(_LOOK_S)

    def _report(self) -> None:
        self.app.shared.report(self.slot, num_connections=len(self.connections))

    # Signals: a handler can interrupt any greenlet, which may hold any lock. So handlers only set values.

    def _watch_signals(self) -> None:
        """Wake the loop at each signal: Python runs no handler while the loop waits in the kernel."""
        while True:
            gevent_socket.wait_read(self.PIPE[0])
            os.read(self.PIPE[0], 4096)
            self._woken.set()

    def handle_exit(self, sig: Any, frame: Any) -> None:
        """Stop gracefully: at once when the master asks; else a moment later, unless the server drains by then."""
        if self.app.shared.is_retired(self.slot) or self.ppid != os.getppid():
            self.alive = False
        else:
            signal.setitimer(signal.ITIMER_REAL, _DRAIN_NOTICE_S)

    def handle_alarm(self, sig: Any, frame: Any) -> None:
        """Stop after a SIGTERM that the master did not announce; while the server drains, the master decides."""
        if not self.app.shared.is_draining:
            self.alive = False

    def handle_quit(self, sig: Any, frame: Any) -> None:
        """Stop soon; the second time at once."""
        if not self.alive:
            os._exit(0)
        self._quit_at = time.monotonic() + _QUICK_GRACE_S
        self.alive = False
