"""Share state between the master process and its workers, in memory."""

import mmap
import struct
import time

_DRAIN_AT = 0  # float64: monotonic time at which listeners close; 0 while the server takes requests
_MESSAGE_SIZE = 8  # uint32
_MESSAGE = 12
_PAGE_BYTES = 4096
_SLOT = struct.Struct("<II")  # whether the worker serves; its number of connections


class SharedState:
    """Whether the server is draining, why a worker could not start, and how many connections each worker holds.

    Made before the workers are forked; `time.monotonic()` is one clock for all processes of a machine. The master gives
    each worker a slot before the fork, and clears the slot when the worker has ended.
    """

    def __init__(self, num_slots: int = 64) -> None:
        self.num_slots = num_slots
        self._retired_at = _PAGE_BYTES + num_slots * _SLOT.size  # a byte for each slot
        self._page = mmap.mmap(-1, self._retired_at + num_slots)

    def start_draining(self, drain_s: float) -> None:
        """Fail readiness from now on, and close listeners in `drain_s` seconds."""
        struct.pack_into("<d", self._page, _DRAIN_AT, time.monotonic() + drain_s)

    @property
    def is_draining(self) -> bool:
        """Whether the server is about to stop."""
        return self._drain_at > 0

    @property
    def drain_left_s(self) -> float:
        """Seconds until listeners close; 0 afterwards, and while the server is not draining."""
        return max(0.0, self._drain_at - time.monotonic()) if self.is_draining else 0.0

    @property
    def _drain_at(self) -> float:
        return float(struct.unpack_from("<d", self._page, _DRAIN_AT)[0])

    def report_failure(self, message: str) -> None:
        """Store why a worker could not start until `take_failure`; a later report replaces an earlier one."""
        data = message.encode("utf-8", "backslashreplace")[: _PAGE_BYTES - _MESSAGE]
        self._page[_MESSAGE : _MESSAGE + len(data)] = data
        struct.pack_into("<I", self._page, _MESSAGE_SIZE, len(data))

    def take_failure(self) -> str:
        """Return and forget why a worker could not start; "" when none has failed since the last call."""
        size = struct.unpack_from("<I", self._page, _MESSAGE_SIZE)[0]
        struct.pack_into("<I", self._page, _MESSAGE_SIZE, 0)
        return self._page[_MESSAGE : _MESSAGE + size].decode(errors="replace")

    def report(self, slot: int, *, num_connections: int) -> None:
        """Store that the worker of a slot serves, and how many connections it holds."""
        _SLOT.pack_into(self._page, _slot_at(slot), 1, num_connections)

    def retire(self, slot: int) -> None:
        """Store that the master asks the worker of a slot to stop; to be called before it sends SIGTERM."""
        self._page[self._retired_at + slot] = 1

    def is_retired(self, slot: int) -> bool:
        """Return whether the master has asked the worker of a slot to stop."""
        return bool(self._page[self._retired_at + slot])

    def clear(self, slot: int) -> None:
        """Forget the worker of a slot."""
        _SLOT.pack_into(self._page, _slot_at(slot), 0, 0)
        self._page[self._retired_at + slot] = 0

    def serves(self, slot: int) -> bool:
        """Return whether the worker of a slot accepts requests."""
        return bool(_SLOT.unpack_from(self._page, _slot_at(slot))[0])

    def fair_connections(self) -> int:
        """Return the number of connections from which a worker waits for others to accept first."""
        fewest = self._fewest_connections()
        return fewest + 1 + fewest // 16

    def has_far_more(self, num_connections: int) -> bool:
        """Return whether a worker with this many connections should send clients to others."""
        fewest = self._fewest_connections()
        return num_connections > fewest + 2 + fewest // 4

    def _fewest_connections(self) -> int:
        slots = _SLOT.iter_unpack(self._page[_PAGE_BYTES : self._retired_at])
        return min((held for serves, held in slots if serves), default=0)


def _slot_at(slot: int) -> int:
    return _PAGE_BYTES + slot * _SLOT.size
