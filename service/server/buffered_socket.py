"""A client's socket whose writes are gathered, so that head and body of an answer are sent at once."""

from typing import Any


class Wire:
    """What gunicorn's writer of answers needs of a socket."""

    __slots__ = ("_pieces", "_socket")

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._pieces: list[bytes] = []

    def fileno(self) -> int:
        """The socket's descriptor."""
        number: int = self._socket.fileno()
        return number

    def send(self, data: bytes) -> int:
        """Send at once: only an interim answer comes this way."""
        self._socket.sendall(data)
        return len(data)

    def sendall(self, data: bytes) -> None:
        """Keep bytes until the next flush."""
        self._pieces.append(data)

    def flush(self) -> None:
        """Send what is kept; raises OSError when the client has left or does not read for too long."""
        if self._pieces:
            data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            self._pieces.clear()
            self._socket.sendall(data)
