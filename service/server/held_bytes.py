"""Count the bytes that one connection holds of its process's limit (max_buffered_bytes)."""

from seqserve.service.server.room import Room


class HeldBytes:
    """Bytes of the current request and of its answer.

    The connections of operators hold nothing: probes must be answered even when clients hold everything.
    """

    def __init__(self, room: Room, client: str, *, is_free: bool) -> None:
        self.client = client
        """The owner of the bytes; set by `belong_to`."""
        self._room = room
        self.is_free = is_free
        self._num_bytes = 0
        self._num_ahead = 0  # part of `_num_bytes`: for the answer, before it is made

    def belong_to(self, client: str) -> None:
        """Release everything, and hold for another client from now on."""
        self.release()
        self.client = client

    def grow_to(self, num_bytes: int) -> None:
        """Hold this many bytes of a request in total; raises OverloadedError."""
        self._hold(num_bytes - self._num_bytes)

    def hold_ahead(self, num_bytes: int) -> None:
        """Hold bytes for an answer before it is made; raises OverloadedError."""
        self._hold(num_bytes)
        self._num_ahead += num_bytes

    def hold_answer(self, num_bytes: int) -> None:
        """Hold the bytes of an answer that were not held ahead; raises OverloadedError."""
        self._hold(num_bytes - self._num_ahead)

    def check(self, num_bytes: int) -> None:
        """Raise OverloadedError when this many bytes cannot be held now."""
        if not self.is_free and not self._room.bytes.fits(self.client, num_bytes):
            self._room.hold(self.client, num_bytes)  # raises OverloadedError, and counts it

    def release(self) -> None:
        """Release everything."""
        if self._num_bytes:
            self._room.release(self.client, self._num_bytes)
        self._num_bytes = self._num_ahead = 0

    def _hold(self, num_bytes: int) -> None:
        if num_bytes > 0 and not self.is_free:
            self._room.hold(self.client, num_bytes, own=self._num_bytes)
            self._num_bytes += num_bytes
