"""What one connection holds of its process's account of bytes."""

from seqserve.service.server.room import Room


class HeldBytes:
    """Bytes of the request that is being read or answered, and of its answer.

    Operators' connections hold nothing: probes must be answered when clients have taken all room.
    """

    def __init__(self, room: Room, client: str, *, is_free: bool) -> None:
        self.client = client
        """Whose bytes they are; set by `belong_to`."""
        self._room = room
        self._is_free = is_free
        self._num_bytes = 0
        self._num_ahead = 0  # of these, for an answer that is being made

    def belong_to(self, client: str) -> None:
        """Give back what is held, and hold for another client from now on."""
        self.release()
        self.client = client

    def grow_to(self, num_bytes: int) -> None:
        """Hold this many bytes of a request in all; raises OverloadedError."""
        self._hold(num_bytes - self._num_bytes)

    def hold_ahead(self, num_bytes: int) -> None:
        """Hold room for an answer that is about to be made; raises OverloadedError."""
        self._hold(num_bytes)
        self._num_ahead += num_bytes

    def hold_answer(self, num_bytes: int) -> None:
        """Hold an answer, as far as it was not held ahead; raises OverloadedError."""
        self._hold(num_bytes - self._num_ahead)

    def check(self, num_bytes: int) -> None:
        """Raise OverloadedError when this many bytes could not be held now."""
        if not self._is_free and not self._room.can_hold(self.client, num_bytes):
            self._room.hold(self.client, num_bytes)  # raises it, and counts

    def release(self) -> None:
        """Give everything back."""
        if self._num_bytes:
            self._room.release(self.client, self._num_bytes)
        self._num_bytes = self._num_ahead = 0

    def _hold(self, num_bytes: int) -> None:
        if num_bytes > 0 and not self._is_free:
            self._room.hold(self.client, num_bytes, own=self._num_bytes)
            self._num_bytes += num_bytes
