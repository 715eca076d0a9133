"""Sampling: every running sample of every request advances by one token in one run of the step graph.

One thread owns it all: it starts with the first request and ends when nothing is left. Requests join and leave between
two tokens. When more samples wait than there are slots, those that have run longest make room, so that a long sample
never holds a short one; requests take turns, so that one with many samples never holds one with few.
"""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Protocol

from bundle.language_model import LanguageModelBundle
from service.engine.patience import ClientLeftError, Patience
from service.engine.prefill import PrefillQueue
from service.engine.sample_handle import Sample, SampleHandle, samples_late
from service.engine.sample_spec import SampleSpec
from service.engine.step_rows import StepRows
from service.errors import InvalidRequestError, OverloadedError

QUANTUM_TOKENS = 32
"""A sample keeps its slot for at least this many tokens while others wait: moving a state costs far less than a run."""

LOOK_TOKENS = 8
"""How often clients are looked at; one that has left frees its slots within twice this many tokens."""

FIRST_GUESS_TOKENS_PER_S = 200.0
"""Speed that Retry-After is computed from before anything was measured."""

_DECAY = 0.95

logger = logging.getLogger("seqserve")


class Observer(Protocol):
    """Who is told how sampling goes; called in the decoder's thread."""

    def count_sampled(self, num_tokens: int) -> None:
        """A run has drawn this many tokens."""

    def set_active_samples(self, num_samples: int) -> None:
        """This many samples hold a slot now."""


class Decoder:
    """Draws samples of one model; `max_slots` rows in a run at most, `max_waiting` samples beyond them wait."""

    def __init__(self, bundle: LanguageModelBundle, *, max_slots: int = 64, max_waiting: int = 256) -> None:
        self.observer: Observer | None = None
        self.running_since: float | None = None
        """Monotonic time since when the present turn goes on; None while nothing is drawn."""
        self._bundle = bundle
        self._max_slots = max_slots
        self._max_samples = max_slots + max_waiting
        self._lock = threading.Lock()  # of the next three
        self._is_owned = False
        self._arrived: list[SampleHandle] = []
        self._num_samples = 0  # admitted and not ended
        # What follows belongs to the owner thread.
        self._handles: list[SampleHandle] = []
        self._prefills = PrefillQueue(bundle)
        self._ready: dict[SampleHandle, deque[Sample]] = {}  # in the order of their turns
        self._rows = StepRows(bundle.state_size)
        self._streaming: list[SampleHandle] = []
        self._turn = 0
        self._recent_tokens, self._recent_s = 0.0, 0.0

    @property
    def num_samples(self) -> int:
        """Samples that were admitted and have not ended."""
        return self._num_samples

    def submit(
        self,
        specs: Sequence[SampleSpec],
        *,
        patience: Patience,
        streams: bool = False,
    ) -> SampleHandle:
        """Draw samples; returns at once. See SampleHandle for the options.

        Samples of one request with the same prompt share its reading. Raises OverloadedError when there is no room.
        """
        handle = SampleHandle(specs, patience=patience, streams=streams)
        if not specs:
            handle.end()
            return handle
        with self._lock:
            if self._num_samples + len(specs) > self._max_samples:
                raise OverloadedError(
                    f"{self._num_samples} samples are being drawn or wait, and {len(specs)} more exceed the limit of "
                    f"{self._max_samples} (max_samples + max_waiting_samples).",
                    retry_after_s=self._wait_s(),
                )
            if not self._is_owned:
                threading.Thread(target=self._own, name="decoder").start()
                self._is_owned = True
            self._arrived.append(handle)
            self._num_samples += len(specs)
        return handle

    def _own(self) -> None:
        """Advance until nothing is left; the thread's body."""
        while (arrived := self._take_in()) is not None:
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
            except Exception as error:  # a bug of ours: nobody may wait for ever, and the next request finds order
                logger.error("the decoder failed", exc_info=error)
                self._reset(error)

    def _take_in(self) -> list[SampleHandle] | None:
        """Return the requests that have arrived; None, having given up the ownership, when nothing is left at all."""
        with self._lock:
            arrived, self._arrived = self._arrived, []
            if arrived or self._handles:
                return arrived
            self._is_owned = False
            self.running_since = None
            return None

    def _queue(self, sample: Sample) -> None:
        self._ready.setdefault(sample.handle, deque()).append(sample)

    def _drop_over(self) -> None:
        """End requests whose deadline has passed or whose client has left."""
        now, looks = time.monotonic(), self._turn % LOOK_TOKENS == 0
        errors: dict[SampleHandle, Exception] = {}
        for handle in self._handles:
            has_left = handle.patience.has_left if looks else None
            if handle.is_cancelled or (has_left is not None and has_left()):
                errors[handle] = ClientLeftError()
            elif handle.patience.is_over(now):
                errors[handle] = samples_late()
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
        """Give free slots to samples that wait, and the slots of those that have had them long when none are free."""
        num_waiting = sum(map(len, self._ready.values()))
        if not num_waiting:
            return
        free = self._max_slots - len(self._rows)
        # Joiners come last, so rows are in the order in which they got their slots.
        aged = [row for row, sample in enumerate(self._rows.samples) if self._turn - sample.since >= QUANTUM_TOKENS]
        leaving = aged[: max(0, num_waiting - free)]
        joining = [self._next_ready() for _ in range(min(num_waiting, free + len(leaving)))]
        now = time.monotonic()
        for sample in joining:
            sample.since = self._turn
            sample.handle.start(now)
        for sample in self._change(leaving, joining):
            self._queue(sample)

    def _next_ready(self) -> Sample:
        """Remove a sample of the request whose turn it is; the request goes to the end of the line."""
        handle = next(iter(self._ready))
        samples = self._ready.pop(handle)
        sample = samples.popleft()
        if samples:
            self._ready[handle] = samples
        return sample

    def _step(self) -> None:
        samples = self._rows.samples
        if not samples:
            return
        started_at = time.monotonic()
        try:
            run = self._bundle.advance if self._rows.are_checked else self._bundle.run_step
            result = run(self._rows.batch())
            self._rows.are_checked = True
        except Exception as error:
            self._fail([sample.handle for sample in samples], error)
            return
        ended, stuck = self._rows.advance(result)
        self._measure(len(samples), time.monotonic() - started_at)
        for handle in self._streaming:
            handle.tell()
        if ended:
            self._end(ended)
        if stuck:
            # Bans are counted before a sample is admitted: this is about weights that leave nothing.
            nothing_left = InvalidRequestError("Nothing is left that may be drawn: every token is banned.")
            self._fail([samples[row].handle for row in stuck], nothing_left)

    def _end(self, rows: list[int]) -> None:
        """Free the slots of samples that have ended, and end the requests whose last ones they were."""
        over = []
        for sample in self._change(rows, []):
            sample.handle.num_running -= 1
            if not sample.handle.num_running:
                over.append(sample.handle)
        with self._lock:
            self._num_samples -= len(rows)
        if over:
            self._handles = [handle for handle in self._handles if handle.num_running]
            for handle in over:
                handle.end()

    def _fail(self, handles: Iterable[SampleHandle], error: Exception) -> None:
        """End requests with an error; whatever of them runs or waits is dropped."""
        over = {handle for handle in handles if not handle.is_over}
        for handle in over:
            self._ready.pop(handle, None)
        self._prefills.drop(over)
        self._change([row for row, sample in enumerate(self._rows.samples) if sample.handle in over], [])
        # Last, so that a bug before it leaves them where `_reset` finds them.
        self._handles = [handle for handle in self._handles if handle not in over]
        with self._lock:
            self._num_samples -= sum(handle.num_running for handle in over)
        for handle in over:
            handle.end(error)

    def _reset(self, error: Exception) -> None:
        """Fail every request and begin anew."""
        handles, self._handles = self._handles, []
        self._prefills, self._ready, self._streaming = PrefillQueue(self._bundle), {}, []
        self._rows = StepRows(self._bundle.state_size)
        with self._lock:
            self._num_samples -= sum(handle.num_running for handle in handles)
        for handle in handles:
            if not handle.is_over:
                handle.end(error)

    def _change(self, leaving: Sequence[int], joining: Sequence[Sample]) -> list[Sample]:
        """Let samples leave and take slots; returns those that left."""
        if not leaving and not joining:
            return []
        left = self._rows.change(leaving, joining)
        self._streaming = list({sample.handle: None for sample in self._rows.samples if sample.handle.streams})
        if self.observer is not None:
            self.observer.set_active_samples(len(self._rows))
        return left

    def _measure(self, num_tokens: int, seconds: float) -> None:
        self._recent_tokens = _DECAY * self._recent_tokens + num_tokens
        self._recent_s = _DECAY * self._recent_s + seconds
        if self.observer is not None:
            self.observer.count_sampled(num_tokens)

    def _wait_s(self) -> int:
        """Whole seconds until what is pending will have been drawn, or dropped, at the speed measured lately.

        Called with the lock held, by any thread; at least 1.
        """
        handles = [*self._handles, *self._arrived]
        left = sum(
            sample.spec.max_tokens - len(sample.ids)
            for handle in handles
            for sample in handle.samples
            if sample.finish_reason is None
        )
        speed = self._recent_tokens / self._recent_s if self._recent_s else FIRST_GUESS_TOKENS_PER_S
        latest = max((handle.patience.deadline for handle in handles), default=0.0) - time.monotonic()
        return max(1, math.ceil(min(left / speed, latest)))
