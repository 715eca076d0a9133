"""Read the requests of a connection and answer them, one at a time, in their client's turn.

Reading needs no greenlet: the loop itself passes received bytes to the parser. A client that stalls holds only a socket
and the bytes it has sent, which are counted. Each complete request is answered in its own greenlet.
"""

import io
import logging
import socket as socket_module
import time
from typing import Any

from gevent.hub import get_hub
from greenlet import greenlet  # type: ignore[import-untyped]

from seqserve.errors import RequestError
from seqserve.service.context import ARRIVED_AT, CLIENT, CLIENT_LEFT, FOR_OPERATORS, HAS_LEFT, HOLD_AHEAD, REFUSED
from seqserve.service.errors import MalformedJsonError, OverloadedError
from seqserve.service.server.answer_writer import AnswerWriter
from seqserve.service.server.client_gone import has_closed
from seqserve.service.server.gate import SMALL_BODY_BYTES, check_head
from seqserve.service.server.held_bytes import HeldBytes
from seqserve.service.server.host import Host
from seqserve.service.server.refusals import Refuser
from seqserve.service.server.request_parser import RequestParser

_READ_BYTES, _LARGE_READ_BYTES = 16 * 1024, 256 * 1024
"""Bytes of one read: the worst 16 KiB take the parser a few milliseconds; parts of a large body cost it little."""
_LINGER_S = 2.0
_MOST_DRAINED_BYTES = 256 * 1024 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

logger = logging.getLogger("seqserve")


class Connection:
    """A client's socket, which is non-blocking, and the request that is being read or answered.

    All methods are called by the loop's thread.
    """

    def __init__(self, host: Host, socket: Any, addresses: tuple[str, dict[str, Any]], *, for_operators: bool) -> None:
        """Take an accepted socket; addresses: the client's, and the WSGI keys with both ends."""
        self.address, base = addresses
        self._host = host
        self._socket = socket
        self._for_operators = for_operators
        self._parser = RequestParser(base, max_body_bytes=host.settings.max_body_bytes)
        self._readable = get_hub().loop.io(socket.fileno(), 1)
        self._writer = AnswerWriter(socket)
        self._buffer = b""
        self._position = 0
        self._held = HeldBytes(host.room, self.address, is_free=for_operators)
        self._arrived_at = time.monotonic()
        self._has_head = False
        self._is_limited = False  # whether limits of requests apply
        self._refused: RequestError | None = None
        self._is_answering = False
        self._num_drained = -1  # -1 until our side is closed
        self._refuser = Refuser(socket, self._writer, self._held, self._end)

    def start(self) -> None:
        """Wait for a request."""
        self._readable.start(self._on_readable)
        self._host.note(self, "idle", time.monotonic() + self._host.settings.keep_alive_s)

    def close_idle(self) -> None:
        """Close the connection if it is idle and no request has arrived."""
        self._on_readable()
        if not (self._is_answering or self._parser.has_begun or self._num_drained >= 0):
            self.close()

    def expire(self) -> None:
        """Close after the time limit of the state: idle, reading or closing."""
        if self._parser.has_begun or self._num_drained >= 0:
            self.close()  # in the middle of a request no answer can be sent
        else:
            self.close_idle()

    def close(self) -> None:
        """Close the socket and free everything; does nothing the second time."""
        if self._socket is None:
            return
        self._readable.stop()
        self._readable.close()
        self._socket.close()
        self._socket = None
        self._parser.reset()  # its request refers to this connection
        self._parser.close()
        self._held.release()
        self._host.forget(self)

    # Reading, in the loop.

    def _on_readable(self) -> None:
        if self._socket is None or self._is_answering:
            return
        is_large = self._num_drained >= 0 or self._parser.num_missing > _READ_BYTES
        try:
            data = self._socket.recv(_LARGE_READ_BYTES if is_large else _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        if self._num_drained >= 0:
            self._num_drained += len(data)
            if not data or self._num_drained > _MOST_DRAINED_BYTES:
                self.close()
        elif data:
            self._buffer, self._position = data, 0
            self._advance()
        else:
            self._end_early()

    def _end_early(self) -> None:
        """Refuse the request of a client that closed its sending side within a body; else close."""
        if self._has_head:
            self._refuse(self._refused or MalformedJsonError("The body ended before its announced end."))
        else:
            self.close()

    def _advance(self) -> None:
        """Parse received bytes up to the end of a request."""
        try:
            self._read_on()
        except RequestError as error:
            self._refuse(error)
        except Exception as error:  # a bug ends this connection, not the loop
            logger.error("a connection failed", exc_info=error)
            self.close()

    def _read_on(self) -> None:
        parser, data = self._parser, self._buffer
        is_first = not parser.has_begun
        if is_first:
            self._arrived_at = time.monotonic()
        while self._position < len(data) and not parser.is_complete:
            self._position = parser.feed(data, self._position)
            if parser.environ is not None and not self._has_head:
                self._has_head = True
                self._take_head()
                if self._socket is None or self._is_answering or self._num_drained >= 0:
                    return  # refused, or the client has left
        self._held.grow_to(parser.num_bytes)
        if parser.is_complete:
            self._readable.stop()
            self._complete()
            return
        self._buffer = b""
        if is_first:
            # Once a request: noted again with each piece, slow requests would lose their place in the order of ends.
            self._host.note(self, "reading", self._arrived_at + self._host.settings.read_timeout_s)

    def _take_head(self) -> None:
        parser = self._parser
        assert parser.environ is not None, "the head is complete"
        self._is_limited = parser.environ["REQUEST_METHOD"] == "POST" and not self._for_operators
        self._refused = check_head(parser, self._host, self._held, is_limited=self._is_limited)
        if self._refused is not None:
            is_small = not (parser.is_chunked or parser.expects_continue) and parser.num_missing <= SMALL_BODY_BYTES
            if is_small or parser.is_complete:
                parser.discards = True
            else:
                self._refuse(self._refused)
        elif parser.expects_continue and not parser.is_complete and self._position == len(self._buffer):
            self._send_continue()

    def _send_continue(self) -> None:
        try:
            num_sent = self._socket.send(_CONTINUE)
        except OSError:
            num_sent = 0
        if num_sent != len(_CONTINUE):
            self.close()  # the client has left, or leaves many answers unread

    # Answering, in the client's turn.

    def _complete(self) -> None:
        self._is_answering = True
        host, client = self._host, self._held.client
        if self._refused is None and self._is_limited and not host.room.accepts(client, self._parser.num_bytes):
            self._refused = host.room.overload(client)
        if isinstance(self._refused, OverloadedError):
            # Answered here, without a greenlet: an overloaded process refuses ten thousand requests a second.
            keeps_open = self._parser.keeps_alive and not host.sheds_clients
            self._refuse(self._refused, keeps_open=keeps_open)
            return
        host.note(self, "answering", 0.0)
        host.room.begin_request(client)
        host.turns.add(client, greenlet(self._run, get_hub()).switch)

    def _run(self) -> None:
        host, client = self._host, self._held.client
        try:
            keeps_open = self._answer()
        except OSError as error:
            logger.debug("a client has left: %s", error)
            keeps_open = None
        except Exception as error:  # a bug
            logger.error("an answer failed outside of the app", exc_info=error)
            keeps_open = None
        finally:
            host.room.end_request(client)
        if self._is_limited and (retry_after_s := self._writer.retry_after_s):
            host.room.note_refused(client, self._parser.num_bytes, retry_after_s)
        self._end(keeps_open)

    def _answer(self) -> bool | None:
        """Answer the request; return whether another may follow, None when the client has left."""
        parser, host, writer = self._parser, self._host, self._writer
        environ = parser.environ
        assert environ is not None, "a request is answered once it has a head"
        environ[ARRIVED_AT] = self._arrived_at
        environ[CLIENT] = self._held.client
        environ[FOR_OPERATORS] = self._for_operators
        environ[HAS_LEFT] = self._has_left
        environ[HOLD_AHEAD] = self._held.hold_ahead
        if self._refused is not None:
            environ[REFUSED] = self._refused
        environ["wsgi.input"] = io.BytesIO(parser.body)
        limits = host.room.rate_limit(self._held.client) if self._is_limited else ""
        writer.begin(environ, keep_alive=parser.keeps_alive and not host.sheds_clients, more_headers=limits)
        pieces = host.wsgi(environ, writer.start_response)
        try:
            if writer.status.startswith(CLIENT_LEFT):
                return None
            if isinstance(pieces, list):
                body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
                try:
                    self._held.hold_answer(len(body))
                except OverloadedError as error:
                    writer.send(self._refuser.answer_of(error, host.room, arrived_at=self._arrived_at))
                    return False
                writer.send_whole(body)
            else:
                writer.send_pieces(pieces)
        finally:
            if close := getattr(pieces, "close", None):
                close()
        return writer.keeps_alive

    def _has_left(self) -> bool:
        return self._socket is None or has_closed(self._socket)

    def _read_next(self) -> None:
        """Begin the next request, which may have arrived already."""
        self._held.belong_to(self.address)  # until the next head names the client
        self._parser.reset()
        self._has_head = self._is_answering = False
        self._refused = None
        if self._position < len(self._buffer):
            self._is_answering = True  # read nothing before this request has had its turn
            self._host.turns.add(self.address, self._take_next)
            return
        self._buffer = b""
        self.start()

    def _take_next(self) -> None:
        if self._socket is None:
            return
        self._is_answering = False
        self._readable.start(self._on_readable)
        self._advance()

    def _refuse(self, error: RequestError, *, keeps_open: bool = False) -> None:
        """Send an error without the app; then close the connection, or keep it open."""
        if self._socket is None:
            return
        self._is_answering = True
        self._readable.stop()
        self._host.note(self, "answering", 0.0)
        self._refuser.refuse(error, self._host.room, arrived_at=self._arrived_at, keeps_open=keeps_open)

    def _end(self, keeps_open: bool | None) -> None:
        """Read the next request after an answer, or end the connection; None: the client has left."""
        if self._socket is None:
            return
        if keeps_open is None:
            self.close()
        elif keeps_open:
            self._read_next()
        else:
            self._close_sending_side()

    def _close_sending_side(self) -> None:
        """Close our side and discard later bytes: after a full close the client might lose the answer."""
        try:
            self._socket.shutdown(socket_module.SHUT_WR)
        except OSError:
            self.close()
            return
        self._parser.reset()
        self._held.release()
        self._num_drained = 0
        self._is_answering = False
        self._buffer = b""
        self._readable.start(self._on_readable)
        self._host.note(self, "closing", time.monotonic() + _LINGER_S)
