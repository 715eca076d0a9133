"""Whether it pays to wait a moment for clients that have just been answered before the next batch is run.

A client that waits for each answer asks again at once, and its next row would share the batch: 16 rows cost a twentieth
less each than 8. The loop has to read and answer those clients on the same core anyway, so what passes meanwhile is
hardly lost. Where clients do not come back, nothing is waited for (anticipatory scheduling: Iyer and Druschel, SOSP
2001).
"""

import time
from collections.abc import Sized

from seqserve.service.engine.event_loop import let_others_go

WAIT_S = 0.003
"""The longest wait."""

_LEAST_SHARE = 0.5
_DECAY = 0.8
_TRY_EVERY = 64
"""Where clients do not come back, it is tried again once in this many batches."""


class Anticipation:
    """Learns from each wait which share of the clients came back in time."""

    def __init__(self) -> None:
        self._share = 1.0
        self._num_skipped = 0

    def await_company(self, queue: Sized, num_answered: int, most: int) -> None:
        """Let the loop go on until `most` rows wait, or as many as there were and were answered, but not for long.

        Where nothing waits, or enough does, this returns at once.
        """
        num_waiting = len(queue)
        wanted = min(most, num_waiting + num_answered)
        if not 0 < num_waiting < wanted or not self._pays():
            return
        until = time.monotonic() + WAIT_S
        while (num_there := len(queue)) < wanted and time.monotonic() < until:
            let_others_go()
        came = min(1.0, (num_there - num_waiting) / (wanted - num_waiting))
        self._share = _DECAY * self._share + (1 - _DECAY) * came

    def _pays(self) -> bool:
        if self._share >= _LEAST_SHARE:
            return True
        self._num_skipped = (self._num_skipped + 1) % _TRY_EVERY
        return self._num_skipped == 0
