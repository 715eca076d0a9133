"""Share state between the master process and its workers, in memory."""

import mmap
import time

_PAGE_BYTES = 4096
_MESSAGE = 16
"""Start of the message in the page, after the time of the drain and the message's length, of 8 bytes each."""
_SERVES, _CONNECTIONS, _RETIRED, _WIDTH = 0, 1, 2, 3
"""The numbers of a slot: whether its worker serves, its connections, and whether the master has asked it to stop."""


class SharedState:
    """Whether the server is draining, why a worker could not start, and how many connections each worker holds.

    Made before the workers are forked; `time.monotonic()` is one clock for all processes of a machine. The master gives
    each worker a slot before the fork, and clears the slot when the worker has ended.
    """

    def __init__(self, num_slots: int = 64) -> None:
        self.num_slots = num_slots
        self._memory = mmap.mmap(-1, _PAGE_BYTES + 4 * _WIDTH * num_slots)
        view = memoryview(self._memory)
        self._drain_at = view[:8].cast("d")  # monotonic time at which listeners close; 0 without a drain
        self._message_size = view[8:_MESSAGE].cast("Q")
        self._slots = view[_PAGE_BYTES:].cast("I")

    def start_draining(self, drain_s: float) -> None:
        """Fail readiness from now on, and close listeners in `drain_s` seconds."""
        self._drain_at[0] = time.monotonic() + drain_s

    @property
    def is_draining(self) -> bool:
        """Whether the server is about to stop."""
        return self._drain_at[0] > 0

    @property
    def drain_left_s(self) -> float:
        """Seconds until listeners close; 0 afterwards, and while the server is not draining."""
        return max(0.0, self._drain_at[0] - time.monotonic()) if self.is_draining else 0.0

    def report_failure(self, message: str) -> None:
        """Store why a worker could not start until `take_failure`; a later report replaces an earlier one."""
        data = message.encode("utf-8", "backslashreplace")[: _PAGE_BYTES - _MESSAGE]
        self._memory[_MESSAGE : _MESSAGE + len(data)] = data
        self._message_size[0] = len(data)

    def take_failure(self) -> str:
        """Return and forget why a worker could not start; "" when none has failed since the last call."""
        size, self._message_size[0] = self._message_size[0], 0
        return self._memory[_MESSAGE : _MESSAGE + size].decode(errors="replace")

    def report(self, slot: int, *, num_connections: int) -> None:
        """Store that the worker of a slot serves, and how many connections it holds."""
        self._slots[_WIDTH * slot + _CONNECTIONS] = num_connections
        self._slots[_WIDTH * slot + _SERVES] = 1

    def retire(self, slot: int) -> None:
        """Store that the master asks the worker of a slot to stop; to be called before it sends SIGTERM."""
        self._slots[_WIDTH * slot + _RETIRED] = 1

    def is_retired(self, slot: int) -> bool:
        """Return whether the master has asked the worker of a slot to stop."""
        return bool(self._slots[_WIDTH * slot + _RETIRED])

    def clear(self, slot: int) -> None:
        """Forget the worker of a slot."""
        for number in range(_WIDTH):
            self._slots[_WIDTH * slot + number] = 0

    def serves(self, slot: int) -> bool:
        """Return whether the worker of a slot accepts requests."""
        return bool(self._slots[_WIDTH * slot + _SERVES])

    def fair_connections(self) -> int:
        """Return the number of connections from which a worker waits for others to accept first."""
        fewest = self._fewest_connections()
        return fewest + 1 + fewest // 16

    def has_far_more(self, num_connections: int) -> bool:
        """Return whether a worker with this many connections should send clients to others."""
        fewest = self._fewest_connections()
        return num_connections > fewest + 2 + fewest // 4

    def _fewest_connections(self) -> int:
        slots = zip(self._slots[_SERVES::_WIDTH], self._slots[_CONNECTIONS::_WIDTH], strict=True)
        return min((held for serves, held in slots if serves), default=0)
