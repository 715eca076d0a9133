"""One client's connection: requests are read, answered and followed by others, in a greenlet of its own.

A client that stalls holds this greenlet and its socket, and nothing else.
"""

import io
import logging
import socket as socket_module
import time
from functools import partial
from typing import Any, Protocol

import gevent
from gunicorn.config import Config
from gunicorn.http import errors as http_errors
from gunicorn.http import get_parser, wsgi

from service.context import ARRIVED_AT, CLIENT_LEFT, FOR_OPERATORS
from service.errors import InternalError, OverloadedError, RequestError
from service.server.buffered_socket import Wire
from service.server.idle_wait import Arrival
from service.server.raw_errors import is_whole_post, no_valid_http, refusal
from service.settings import Settings

SMALL_BODY_BYTES = 16 * 1024
"""Bodies up to that size need no reservation: as many as there are connections do no harm."""

_READ_BYTES = 65_536
_LINGER_S = 2.0
_MOST_DRAINED_BYTES = 256 * 1024 * 1024

logger = logging.getLogger("seqserve")


class Host(Protocol):
    """The worker, as its connections see it."""

    cfg: Config
    settings: Settings
    wsgi: Any

    @property
    def sends_away(self) -> bool:
        """Whether the client's next request should come on another connection, which somebody else will take."""

    def begin_request(self) -> None:
        """A request has arrived whole."""

    def end_request(self) -> None:
        """A request that had begun was answered, or given up."""

    @property
    def is_full(self) -> bool:
        """Whether no more requests are taken now."""

    def overload(self) -> OverloadedError:
        """Return why no more requests are taken now. It is counted."""

    def reserve(self, num_bytes: int) -> OverloadedError | None:
        """Hold memory for a large body until `release`; return why there is none. It is counted."""

    def release(self, num_bytes: int) -> None:
        """Give memory back."""


class Connection:
    """A client's socket, with what has been read ahead of it."""

    def __init__(self, host: Host, socket: Any, addresses: tuple[Any, Any], *, for_operators: bool) -> None:
        self._host = host
        self._socket = socket
        self._client, self._server = addresses
        self._for_operators = for_operators
        self._wire = Wire(socket)
        self._parser = get_parser(host.cfg, socket, self._client)
        self._arrival = Arrival(socket, partial(_turn_away, host))
        self._arrived_at = self._arrival.at
        self._num_reserved = 0

    def is_idle(self, seconds: float = 0.0) -> bool:
        """Whether no byte of a request has been there for so long."""
        return self._arrival.is_idle(seconds)

    def hurry(self) -> None:
        """Close unless a request is there or on its way."""
        self._arrival.hurry()

    def serve(self) -> None:
        """Answer requests until the client or the server has had enough, then close."""
        try:
            while self._answer_next():
                pass
        except (OSError, http_errors.NoMoreData, StopIteration) as error:
            logger.debug("a client has left: %s", error)
        finally:
            self._arrival.close()
            self._socket.close()

    def _answer_next(self) -> bool:
        """Answer one request; return whether another may follow."""
        data: bytes = self._parser.unreader.take_buffered()
        self._arrived_at = time.monotonic()
        if not data:
            data = self._arrival.wait()
            self._arrived_at = self._arrival.at
        if not data:
            return False
        self._parser.unreader.unread(data)
        try:
            return self._read_and_answer()
        except gevent.Timeout:
            return False  # nothing can be said to a client that is in the middle of saying something
        except http_errors.ParseException as error:
            logger.info("refused a request that is no valid HTTP: %s", type(error).__name__)
            return self._refuse(no_valid_http(error))
        except OverloadedError as error:
            return self._refuse(error)
        finally:
            self._host.release(self._num_reserved)
            self._num_reserved = 0

    def _read_and_answer(self) -> bool:
        with gevent.Timeout(self._host.settings.read_timeout_s):
            request = next(self._parser)
            response, environ = wsgi.create(request, self._wire, self._client, self._server, self._host.cfg)
            is_read = self._read_body(request, environ)
        if self._host.is_full and environ["REQUEST_METHOD"] == "POST":
            raise self._host.overload()
        if not is_read or self._host.sends_away:
            response.force_close()
        self._host.begin_request()
        try:
            self._answer(response, environ)
        except OSError:
            raise
        except Exception as error:  # a bug of ours, or of the framework
            logger.error("failed outside of the app", exc_info=error)
            if response.headers_sent:
                return False
            return self._refuse(InternalError("Something failed inside the server; it was logged."))
        finally:
            self._host.end_request()
        if response.should_close():
            self._part()
            return False
        return True

    def _read_body(self, request: Any, environ: dict[str, Any]) -> bool:
        """Put the body into memory, at most a byte more than is allowed; return whether that was all of it."""
        environ[ARRIVED_AT] = self._arrived_at
        environ[FOR_OPERATORS] = self._for_operators
        environ["wsgi.input"] = io.BytesIO()
        most = self._host.settings.max_body_bytes
        declared = environ.get("CONTENT_LENGTH", "")
        expected = int(declared) if declared.isdigit() else most if "HTTP_TRANSFER_ENCODING" in environ else 0
        if expected > most:
            return False
        if expected > SMALL_BODY_BYTES:
            if (excess := self._host.reserve(expected)) is not None:
                raise excess
            self._num_reserved = expected
        body = request.body.read(most + 1)
        environ["wsgi.input"] = io.BytesIO(body)
        return len(body) <= most and (not declared.isdigit() or len(body) == int(declared))

    def _answer(self, response: Any, environ: dict[str, Any]) -> None:
        pieces = self._host.wsgi(environ, response.start_response)
        try:
            if response.status_code == CLIENT_LEFT:
                response.force_close()
            for piece in pieces:
                response.write(piece)
                self._wire.flush()
            response.close()
            self._wire.flush()
        finally:
            pieces.close()

    def _refuse(self, error: RequestError) -> bool:
        self._send(refusal(error, arrived_at=self._arrived_at))
        self._part()
        return False

    def _send(self, data: bytes) -> None:
        self._wire.sendall(data)
        self._wire.flush()

    def _part(self) -> None:
        """Close our side and throw away what still comes: closing at once would take the answer from the client."""
        self._socket.shutdown(socket_module.SHUT_WR)
        left = _MOST_DRAINED_BYTES
        with gevent.Timeout(_LINGER_S, False):
            while left > 0 and (num_bytes := len(self._socket.recv(_READ_BYTES))):
                left -= num_bytes


def _turn_away(host: Host, data: bytes, arrived_at: float) -> bytes:
    """Return a refusal when no more requests are taken and this is a whole, plain one; else b""."""
    if host.is_full and is_whole_post(data):
        return refusal(host.overload(), arrived_at=arrived_at, keep_alive=True)
    return b""
