"""Bind the sockets before all other work, so that an address in use is reported at once."""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from seqserve.errors import SeqserveError
from seqserve.service.settings import Address, Settings

_BACKLOG = 2048  # as gunicorn has it
_PROBE_S = 1.0


class ListenError(SeqserveError):
    """The server cannot listen at an address; the message names it and the reason."""


class Listeners:
    """Sockets that are bound to the addresses of the settings, and refuse connections until `hand_over`.

    There are none where gunicorn gets sockets from systemd, or from a master that it replaces.
    """

    def __init__(self, settings: Settings) -> None:
        """Bind; raises ListenError."""
        self._sockets: list[tuple[Address, socket.socket]] = []
        if os.environ.get("LISTEN_PID") == str(os.getpid()) or "GUNICORN_PID" in os.environ:
            return
        try:
            for address in settings.addresses:
                with _explained(address):
                    self._sockets.append((address, _bound(address)))
        except ListenError:
            self.close()
            raise

    def hand_over(self) -> list[str]:
        """Listen, and return the sockets as gunicorn's `bind` takes them; raises ListenError.

        They are gunicorn's from now on, which also removes socket files at the end.
        """
        for address, each in self._sockets:
            with _explained(address):  # two servers that start at the same time are both bound
                each.listen(_BACKLOG)
        handed, self._sockets = self._sockets, []
        return [f"fd://{each.detach()}" for _, each in handed]

    def close(self) -> None:
        """Close the sockets that were not handed over."""
        for address, each in self._sockets:
            each.close()
            if isinstance(address, str):
                os.unlink(address)
        self._sockets = []


def _bound(address: Address) -> socket.socket:
    """Return a socket bound to an address; raises OSError."""
    if isinstance(address, str):
        return _bound_file(address)
    made = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


def _bound_file(path: str) -> socket.socket:
    """Return a socket bound to a path, where a killed server may have left its own."""
    made = socket.socket(socket.AF_UNIX)
    try:
        if os.path.lexists(path):
            _check_unused(path)
            os.unlink(path)
        mask = os.umask(0)
        try:
            made.bind(path)
        finally:
            os.umask(mask)
    except OSError:
        made.close()
        raise
    return made


def _check_unused(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_PROBE_S)
        try:
            probe.connect(path)
        except (ConnectionRefusedError, FileNotFoundError):
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


@contextmanager
def _explained(address: Address) -> Iterator[None]:
    """Raise ListenError, which names the address, for an OSError."""
    try:
        yield
    except OSError as error:
        where = f"unix:{address}" if isinstance(address, str) else f"port {address[1]} of {address[0]}"
        in_use = error.errno == errno.EADDRINUSE
        reason = "it is in use by another program" if in_use else error.strerror or str(error)
        raise ListenError(f"The server cannot listen at {where}: {reason}.") from error
