"""Sampling: every running sample of every request advances by one token in one run of the step graph.

One thread runs all of this: it starts with the first request and ends when no request is left. A sample is waiting,
running in a slot, or preempted: it has lost its slot and waits again, with its state. Samples start and stop between
two tokens. When the slots are too few, the samples that have run longest are preempted, so that short samples do not
wait for long ones. Clients have turns, and so have the requests of a client. A client with fewer slots than an equal
share gets slots of clients with more at once.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from seqserve.language.model import LanguageModelBundle
from seqserve.language.sampling.spec import SampleSpec, nothing_left
from seqserve.language.sampling.step_rows import StepRows
from seqserve.service.engine.cancellation import Cancellation, ClientLeftError, late
from seqserve.service.engine.sampling.handle import QueuedSample, SampleHandle, seconds_left
from seqserve.service.engine.sampling.prefill import PrefillQueue
from seqserve.service.engine.sampling.slots import Running, plan_slots
from seqserve.service.engine.sampling.turns import Turns
from seqserve.service.engine.shares import Shares
from seqserve.service.errors import OverloadedError

QUANTUM_TOKENS = 32
"""A sample draws at least this many tokens before it may be preempted, unless its client has too many slots."""

LOOK_TOKENS = 8
"""Every this many tokens the decoder asks which clients have left; their slots are free soon afterwards."""

FIRST_GUESS_TOKENS_PER_S = 200.0
"""Speed that Retry-After is computed from before anything was measured."""

_DECAY = 0.95

logger = logging.getLogger("seqserve")


class Decoder:
    """Draws samples of one model; `max_slots` rows in a run at most, `max_waiting` samples beyond them wait.

    client_share: the part of both together that one client may hold (see Shares).
    """

    def __init__(
        self,
        bundle: LanguageModelBundle,
        *,
        max_slots: int = 64,
        max_waiting: int = 256,
        client_share: float = 1.0,
    ) -> None:
        self.report: Callable[[int, int], None] | None = None
        """Called in the decoder's thread with the tokens that a run has drawn and the samples that run now."""
        self.running_since: float | None = None
        """Monotonic time at which the current turn began; None while nothing is drawn."""
        self._bundle = bundle
        self._max_slots = max_slots
        self._lock = threading.Lock()  # of the next three
        self._is_owned = False
        self._arrived: list[SampleHandle] = []
        most = max_slots + max_waiting
        self._room = Shares(most, share=client_share, first=most // 4)  # samples admitted and not ended
        # The attributes below belong to the owner thread.
        self._handles: list[SampleHandle] = []
        self._prefills = PrefillQueue(bundle)
        self._waiting: Turns[QueuedSample] = Turns()
        self._rows: StepRows[QueuedSample] = StepRows(bundle.state_size)
        self._streaming: list[SampleHandle] = []
        self._turn = 0
        self._recent_tokens, self._recent_s = 0.0, 0.0

    def submit(
        self,
        specs: Sequence[SampleSpec],
        *,
        cancellation: Cancellation,
        streams: bool = False,
    ) -> SampleHandle:
        """Draw samples; returns at once. See SampleHandle for the options.

        Samples of one request with the same prompt share its reading. Raises OverloadedError when there is no room.
        """
        handle = SampleHandle(specs, cancellation=cancellation, streams=streams)
        if not specs:
            handle.end()
            return handle
        with self._lock:
            if not self._room.take(cancellation.client, len(specs)):
                raise self._refusal(len(specs), cancellation.client)
            if not self._is_owned:
                threading.Thread(target=self._own, name="decoder").start()
                self._is_owned = True
            self._arrived.append(handle)
        return handle

    def _refusal(self, num_samples: int, client: str) -> OverloadedError:
        """Return the error for samples that find no room; called with the lock held, by any thread."""
        room = self._room
        handles = [*self._handles, *self._arrived]
        speed = self._recent_tokens / self._recent_s if self._recent_s else FIRST_GUESS_TOKENS_PER_S
        if room.is_full_for(client, num_samples):
            return OverloadedError(
                f"{room.held} samples are being drawn or wait, and {num_samples} more exceed the limit of "
                f"{room.limit} (max_samples + max_waiting_samples).",
                retry_after_s=seconds_left(handles, speed),
            )
        own = [handle for handle in handles if handle.cancellation.client == client]
        return OverloadedError(
            f"{room.held_by(client)} samples of this client are being drawn or wait, and {num_samples} more exceed its "
            f"share of the {room.limit} that there may be (--client-share).",
            retry_after_s=min(seconds_left(handles, speed), seconds_left(own, speed / room.num_clients)),
        )

    def _own(self) -> None:
        """Advance until nothing is left; the thread's body."""
        while (arrived := self._take_arrived()) is not None:
            self.running_since = time.monotonic()
            try:
                self._handles += arrived
                for handle in arrived:
                    for sample in self._prefills.add(handle):
                        self._queue(sample)
                self._drop_over()
                self._read_prompts()
                self._fill_slots()
                self._step()
                self._turn += 1
            except Exception as error:  # a bug: no request may wait for ever, and the next request finds empty queues
                logger.error("the decoder failed", exc_info=error)
                self._reset(error)

    def _take_arrived(self) -> list[SampleHandle] | None:
        """Return the requests that have arrived; end the ownership and return None when no request is left."""
        with self._lock:
            arrived, self._arrived = self._arrived, []
            if arrived or self._handles:
                return arrived
            self._is_owned = False
            self.running_since = None
            return None

    def _queue(self, sample: QueuedSample) -> None:
        self._waiting.add(sample.handle, sample)

    def _drop_over(self) -> None:
        """End requests whose deadline has passed or whose client has left."""
        now, looks = time.monotonic(), self._turn % LOOK_TOKENS == 0
        errors: dict[SampleHandle, Exception] = {}
        for handle in self._handles:
            if handle.is_cancelled or (looks and handle.cancellation.has_client_left(now)):
                errors[handle] = ClientLeftError()
            elif handle.cancellation.is_over(now):
                errors[handle] = late()
        for handle, error in errors.items():
            self._fail([handle], error)

    def _read_prompts(self) -> None:
        chosen = self._prefills.take()
        if not chosen:
            return
        for prefill in chosen:
            prefill.handle.start(time.monotonic())
        try:
            read = self._prefills.run(chosen)
        except Exception as error:
            self._fail([prefill.handle for prefill in chosen], error)
            return
        for prefill in read:
            for sample in prefill.samples:
                self._queue(sample)

    def _fill_slots(self) -> None:
        """Move waiting samples into free slots; preempt running samples when too few slots are free."""
        if not self._waiting:
            return
        # Joiners come last, so rows are in the order in which they got their slots.
        running = [
            Running(sample.handle.cancellation.client, self._turn - sample.running_since >= QUANTUM_TOKENS)
            for sample in self._rows.samples
        ]
        preempted, due = plan_slots(running, dict(self._waiting.clients), max_slots=self._max_slots)
        num_joining = min(len(self._waiting), self._max_slots - len(running) + len(preempted))
        joining = [self._waiting.take(client) for client, number in due.items() for _ in range(number)]
        joining += [self._waiting.take() for _ in range(num_joining - len(joining))]
        now = time.monotonic()
        for sample in joining:
            sample.running_since = self._turn
            sample.handle.start(now)
        for sample in self._change(preempted, joining):
            self._queue(sample)

    def _step(self) -> None:
        samples = self._rows.samples
        if not samples:
            return
        started_at = time.monotonic()
        try:
            result = self._rows.run(self._bundle)
        except Exception as error:
            self._fail([sample.handle for sample in samples], error)
            return
        ended, stuck = self._rows.advance(result)
        self._measure(len(samples), time.monotonic() - started_at)
        for handle in self._streaming:
            handle.notify()
        if ended:
            self._end(ended)
        if stuck:
            # Banned tokens are counted before a sample is admitted: here the weights leave no token.
            self._fail([samples[row].handle for row in stuck], nothing_left())

    def _end(self, rows: list[int]) -> None:
        """Free the slots of samples that have ended, and end the requests that have no others left."""
        over = []
        ended: Counter[str] = Counter()
        for sample in self._change(rows, []):
            ended[sample.handle.cancellation.client] += 1
            sample.handle.num_unfinished -= 1
            if not sample.handle.num_unfinished:
                over.append(sample.handle)
        with self._lock:
            for client, number in ended.items():
                self._room.release(client, number)
        if over:
            self._handles = [handle for handle in self._handles if handle.num_unfinished]
            for handle in over:
                handle.end()

    def _fail(self, handles: Iterable[SampleHandle], error: Exception) -> None:
        """End requests with an error; their samples that run or wait are dropped."""
        over = {handle for handle in handles if not handle.is_over}
        for handle in over:
            self._waiting.drop(handle)
        self._prefills.drop(over)
        self._change([row for row, sample in enumerate(self._rows.samples) if sample.handle in over], [])
        # Last, so that a bug before it leaves them where `_reset` finds them.
        self._handles = [handle for handle in self._handles if handle not in over]
        self._release_room(over)
        for handle in over:
            handle.end(error)

    def _reset(self, error: Exception) -> None:
        """Fail every request and empty the queues."""
        handles, self._handles = self._handles, []
        self._prefills, self._waiting, self._streaming = PrefillQueue(self._bundle), Turns(), []
        self._rows = StepRows(self._bundle.state_size)
        self._release_room(handles)
        for handle in handles:
            if not handle.is_over:
                handle.end(error)

    def _release_room(self, handles: Iterable[SampleHandle]) -> None:
        with self._lock:
            for handle in handles:
                if handle.num_unfinished:
                    self._room.release(handle.cancellation.client, handle.num_unfinished)

    def _change(self, leaving: Sequence[int], joining: Sequence[QueuedSample]) -> list[QueuedSample]:
        """Free the slots of some samples and give slots to others; return the samples that left."""
        if not leaving and not joining:
            return []
        left = self._rows.change(leaving, joining)
        self._streaming = list({sample.handle: None for sample in self._rows.samples if sample.handle.streams})
        if self.report is not None:
            self.report(0, len(self._rows))
        return left

    def _measure(self, num_tokens: int, seconds: float) -> None:
        self._recent_tokens = _DECAY * self._recent_tokens + num_tokens
        self._recent_s = _DECAY * self._recent_s + seconds
        if self.report is not None:
            self.report(num_tokens, len(self._rows))
