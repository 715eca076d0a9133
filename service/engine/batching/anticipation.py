"""Anticipatory scheduling (Iyer and Druschel, SOSP 2001): wait a moment before a batch if more rows are likely to come.

A client that waits for each answer sends its next request at once, and the new rows could share the next batch. In a
batch of 16 a row costs a twentieth less than in a batch of 8. The loop must read and answer these clients on the same
core anyway, so the wait costs little. While clients do not come back, there is no wait.
"""

import time
from collections.abc import Sized

from gevent import sleep

WAIT_S = 0.003
"""The longest wait."""

_MIN_SHARE = 0.5
"""The wait pays while at least this share of the clients comes back in time."""

_DECAY = 0.8
_RETRY_BATCHES = 64
"""While the wait does not pay, one batch in this many waits, to learn whether that has changed."""


class Anticipation:
    """Waits for the clients that were just answered, and learns which share of them comes back in time."""

    def __init__(self) -> None:
        self._share = 1.0
        self._num_skipped = 0

    def wait(self, queue: Sized, num_answered: int, max_rows: int) -> None:
        """Run the loop until the queue has grown by `num_answered` rows or to `max_rows`, for at most WAIT_S seconds.

        Returns at once when the queue is empty or holds `max_rows` already.
        """
        num_before = len(queue)
        wanted = min(max_rows, num_before + num_answered)
        if not 0 < num_before < wanted or not self._pays():
            return
        until = time.monotonic() + WAIT_S
        while (num_now := len(queue)) < wanted and time.monotonic() < until:
            sleep(0)
        share = min(1.0, (num_now - num_before) / (wanted - num_before))
        self._share = _DECAY * self._share + (1 - _DECAY) * share

    def _pays(self) -> bool:
        if self._share >= _MIN_SHARE:
            return True
        self._num_skipped = (self._num_skipped + 1) % _RETRY_BATCHES
        return self._num_skipped == 0
