"""A gunicorn worker of threads that loses no request, is not held by slow clients and answers probes when busy."""

import errno
import logging
import os
import secrets
import socket
import struct
import sys
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from gunicorn import util
from gunicorn.workers import gthread

from bundle.errors import SeqserveError
from service import arrival
from service.arrival import Arrival
from service.errors import InternalError, MalformedJsonError, RequestError
from service.problems import CONTENT_TYPE, problem_of

PROBES = (b"GET /healthz", b"GET /readyz", b"HEAD /healthz", b"HEAD /readyz")
BOOT_ERROR = 3
"""Exit status by which gunicorn's master knows that starting another worker would fail again."""

_PEEK_BYTES = 4096
_BODY_HEADERS = (b"\r\ncontent-length:", b"\r\ntransfer-encoding:")
_SEND_TIMEOUT_S = 30
_QUICK_GRACE_S = 1
_LINGER_S = 2.0
_DRAIN_BYTES = 65_536
_MOST_DRAINED_BYTES = 256 * 1024 * 1024
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_NO_ROOM_PAUSE_S = 0.05
_REFUSALS: dict[type[Exception], str] = {
    gthread.http.errors.ExpectationFailed: "Of Expect only 100-continue is understood.",
    gthread.http.errors.UnsupportedTransferCoding: "Of Transfer-Encoding only chunked is understood.",
    gthread.http.errors.LimitRequestLine: "The first line of the request is too long.",
    gthread.http.errors.LimitRequestHeaders: "The headers of the request are too many or too long.",
}


def _nothing() -> None:
    """Run by the main loop to make it look around."""


class Worker(gthread.ThreadWorker):  # type: ignore[misc]
    """One process; reads, answers and writes in threads, and watches connections in its main thread."""

    alive: bool
    nr_conns: int

    def init_process(self) -> None:
        """Add to gunicorn's: a thread for probes, and the list of requests that are being read."""
        self.probe_pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="probe")
        self.arrivals: dict[Any, Arrival] = {}
        self.lingering: deque[Any] = deque()
        super().init_process()

    def load_wsgi(self) -> None:
        """Open the models; a bundle that cannot be opened stops the whole server with its one sentence."""
        try:
            super().load_wsgi()
        except SeqserveError as error:
            self.app.board.report_failure(str(error))
            sys.exit(BOOT_ERROR)

    def accept(self, listener: Any) -> None:
        """Accept a connection and wait for its first byte in the poller instead of in a thread."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                return
            if error.errno in _NO_ROOM:
                self.log.warning("cannot accept a connection: %s", error.strerror)
                time.sleep(_NO_ROOM_PAUSE_S)  # it stays in the kernel's queue, and would be tried again at once
                return
            raise
        self.nr_conns += 1
        # A client that does not read its answer must not hold a thread for ever.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _SEND_TIMEOUT_S, 0))
        connection = gthread.TConn(self.cfg, client, address, listener.getsockname())
        connection.set_timeout()
        self.pending_conns.append(connection)
        readable = partial(self.on_pending_socket_readable, connection)
        self.poller.register(client, gthread.selectors.EVENT_READ, readable)

    def enqueue_req(self, connection: Any) -> None:
        """Give a readable connection to a thread; probes have one of their own."""
        connection.arrived_at = time.monotonic()
        pool = self.probe_pool if self._is_probe(connection) else self.tpool
        done = pool.submit(self.handle, connection)
        done.add_done_callback(partial(self._on_done, connection))

    def _on_done(self, connection: Any, future: "Future[Any]") -> None:
        self.method_queue.defer(self.finish_request, connection, future)

    @staticmethod
    def _is_probe(connection: Any) -> bool:
        """Say whether all of a probe is there, so that it cannot hold the one thread that probes have."""
        try:
            start: bytes = connection.sock.recv(_PEEK_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except OSError:
            return False
        head = start.lower()
        is_whole = head.find(b"\r\n\r\n") == len(head) - 4
        return start.startswith(PROBES) and is_whole and not any(name in head for name in _BODY_HEADERS)

    def finish_request(self, connection: Any, future: "Future[Any]") -> None:
        """Keep the connection, or part from its client.

        gunicorn waits up to two seconds for a client to close its side, in the main loop: a few that do not would keep
        everybody waiting, and more of them end the worker for not being alive.
        """
        if not future.cancelled() and future.exception() is None and future.result():
            super().finish_request(connection, future)
            return
        try:
            connection.sock.setblocking(False)
            connection.sock.shutdown(socket.SHUT_WR)
            self.poller.register(connection.sock, gthread.selectors.EVENT_READ, partial(self._drain, connection))
        except (OSError, ValueError, KeyError):  # the client has left
            self._close(connection)
            return
        connection.timeout = time.monotonic() + _LINGER_S
        connection.bytes_left = _MOST_DRAINED_BYTES
        self.lingering.append(connection)

    def _drain(self, connection: Any, client: Any) -> None:
        """Throw away what a client still sends after its answer: closing before would take the answer from it."""
        try:
            num_bytes = len(client.recv(_DRAIN_BYTES))
        except BlockingIOError:
            return
        except OSError:
            num_bytes = 0
        connection.bytes_left -= num_bytes
        if num_bytes == 0 or connection.bytes_left <= 0:
            self.lingering.remove(connection)
            self._stop_lingering(connection)

    def _stop_lingering(self, connection: Any) -> None:
        self.poller.unregister(connection.sock)
        self._close(connection)

    def _close(self, connection: Any) -> None:
        self.nr_conns -= 1
        connection.close()

    def handle(self, connection: Any) -> Any:
        """Serve one request; runs in a thread."""
        here = Arrival(connection.arrived_at)
        self.arrivals[connection] = here
        arrival.begin(here)
        try:
            return super().handle(connection)
        finally:
            del self.arrivals[connection]

    def _keepalive_after(self, connection: Any, keepalive: bool) -> bool:
        """Say whether another request may follow; a body that turns out broken after the answer gets no second one."""
        try:
            return bool(super()._keepalive_after(connection, keepalive))
        except gthread.http.errors.ParseException:
            return False

    def murder_pending(self) -> None:
        """Called by the main loop at least once a second: also end what takes too long to arrive or to leave."""
        super().murder_pending()
        while self.lingering and self.lingering[0].timeout <= time.monotonic():
            self._stop_lingering(self.lingering.popleft())
        limit = time.monotonic() - self.app.settings.read_timeout_s
        for connection, here in self.arrivals.copy().items():
            if not here.is_read and here.reading_since < limit:
                try:
                    # The thread that reads sees the end of the stream and gives up.
                    connection.sock.shutdown(socket.SHUT_RD)
                except OSError:
                    continue

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept or not; a worker that stops takes what the kernel has accepted already, then closes its listeners.

        gunicorn keeps them open until the last request is answered, and whoever connects meanwhile is lost.
        """
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            listener.setblocking(False)
            before = -1
            while before != self.nr_conns:
                before = self.nr_conns
                self.accept(listener)
            listener.close()
        self.sockets: list[Any] = []
        linger_until = time.monotonic() + gthread.STOP_KEEPALIVE_LINGER
        for connection in self.pending_conns:
            connection.timeout = min(connection.timeout, linger_until)

    def run(self) -> None:
        """Serve until told to stop; what has not ended by the end of the grace is cut."""
        super().run()
        if self.nr_conns > 0:
            # The interpreter would wait for threads that wait for their clients.
            logging.shutdown()
            os._exit(0)

    def handle_quit(self, sig: Any, frame: Any) -> None:
        """Stop soon: at once when asked twice.

        gunicorn shuts its thread pool down here, in a signal handler, and waits for ever when the signal came while the
        main thread held the pool's lock.
        """
        if not self.alive:
            os._exit(0)
        self.alive = False
        self.cfg.set("graceful_timeout", _QUICK_GRACE_S)
        self.method_queue.defer(_nothing)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Any) -> None:
        """Answer what never reaches the app, being no valid HTTP, with the same shape of error as everything else."""
        request_id = secrets.token_hex(8)
        error: RequestError
        if isinstance(exc, gthread.http.errors.ParseException):
            self.log.info("refused a request that is no valid HTTP: %s", type(exc).__name__)
            error = MalformedJsonError(_REFUSALS.get(type(exc), "The request is not valid HTTP."))
        else:
            self.log.error("failed outside of the app, request %s", request_id, exc_info=exc)
            error = InternalError("Something failed inside the server; it was logged.")
        problem = problem_of(error)
        body = msgspec.json.encode(problem)
        total_ms = 1000 * (time.monotonic() - arrival.take().at)
        head = (
            f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\nConnection: close\r\n"
            f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\nX-Request-Id: {request_id}\r\n"
            f"Server-Timing: queue;dur=0.000, compute;dur=0.000, total;dur={total_ms:.3f}\r\n\r\n"
        )
        try:
            util.write_nonblock(client, head.encode() + body)
        except OSError:
            self.log.debug("the client of a refused request has left")
