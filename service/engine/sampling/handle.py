"""Hold the samples of one request while the decoder draws them."""

import math
import threading
import time
from collections.abc import Iterable, Sequence

from seqserve.errors import RequestError
from seqserve.language.sampling.sample import Sample
from seqserve.language.sampling.spec import SampleSpec
from seqserve.service.engine.cancellation import Cancellation, ClientLeftError, late
from seqserve.service.engine.event_loop import make_event
from seqserve.service.errors import InternalError

GRACE_S = 5.0
"""Wait beyond the deadline: the decoder ends a request between two tokens, so only a run that hangs takes longer."""


class QueuedSample(Sample):
    """A sample of a request: waiting for a slot, running in one, preempted (its slot was taken), or ended."""

    __slots__ = ("handle", "running_since")

    def __init__(self, spec: SampleSpec, handle: "SampleHandle") -> None:
        super().__init__(spec)
        self.handle = handle
        self.running_since = 0
        """Turn of the decoder in which it got its slot."""


class SampleHandle:
    """The samples of one request. Any thread may wait for news, read the samples, or cancel the request.

    A handle that `streams` gets news for every token, other handles only at their end.
    """

    def __init__(self, specs: Sequence[SampleSpec], *, cancellation: Cancellation, streams: bool = False) -> None:
        self.samples = [QueuedSample(spec, self) for spec in specs]
        self.cancellation = cancellation
        self.streams = streams
        self.is_cancelled = False
        self.num_unfinished = len(self.samples)
        """Samples that wait, run or are preempted."""
        self._error: Exception | None = None
        self._is_over = False
        self._news = make_event()
        self._submitted_at = time.monotonic()
        self._started_at: float | None = None
        self._ended_at: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be drawn."""
        return self._is_over

    @property
    def queue_s(self) -> float:
        """Seconds before its first run."""
        return (self._started_at or self._ended_at or time.monotonic()) - self._submitted_at

    @property
    def compute_s(self) -> float:
        """Seconds from the first run to the end, or to now."""
        return 0.0 if self._started_at is None else (self._ended_at or time.monotonic()) - self._started_at

    def cancel(self) -> None:
        """End the request; its slots are free before the next token."""
        self.is_cancelled = True

    def wait(self) -> list[QueuedSample]:
        """Return the samples when all have ended.

        Raises DeadlineExceededError, InternalError, ClientLeftError, and the RequestError that ended it.
        """
        until = self.cancellation.deadline + GRACE_S
        while not self._is_over and (left_s := until - time.monotonic()) > 0:
            self.wait_for_news(min(left_s, threading.TIMEOUT_MAX))
        self.check()
        return self.samples

    def wait_for_news(self, timeout_s: float) -> None:
        """Wait until a token was drawn or the request has ended since the last call, at most `timeout_s` seconds."""
        self._news.wait(timeout_s)
        self._news.clear()

    def check(self) -> None:
        """Raise the error that ended the request, if it has failed; see `wait`."""
        if self._error is None:
            if not self._is_over and time.monotonic() >= self.cancellation.deadline + GRACE_S:
                self.cancel()
                raise late()
            return
        if isinstance(self._error, RequestError | ClientLeftError):
            raise self._error
        raise InternalError("The model failed on this request.") from self._error

    # The methods below are called by the decoder's thread.

    def start(self, now: float) -> None:
        """Note the time of its first run."""
        if self._started_at is None:
            self._started_at = now

    def notify(self) -> None:
        """Wake the thread that waits for news."""
        self._news.set()

    def end(self, error: Exception | None = None) -> None:
        """End the request: all samples have ended, or it has failed."""
        self._error = error
        self._ended_at = time.monotonic()
        self._is_over = True
        self._news.set()


def seconds_left(handles: Iterable[SampleHandle], tokens_per_s: float) -> int:
    """Return the seconds until the samples of requests are drawn, or dropped, at this speed; a whole number from 1."""
    left, latest = 0, 0.0
    for handle in handles:
        latest = max(latest, handle.cancellation.deadline)
        left += sum(
            sample.spec.max_tokens - len(sample.ids) for sample in handle.samples if sample.finish_reason is None
        )
    return max(1, math.ceil(min(left / tokens_per_s, latest - time.monotonic())))
