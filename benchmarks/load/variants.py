"""What stands in for the service's engine so that one part of it can be measured against its absence."""

import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from seqserve.language.batches import StepBatch, StepResult
from seqserve.language.model import LanguageModelBundle
from seqserve.service.engine.batching.batcher import Batcher
from seqserve.service.engine.batching.plan import BatchLimits
from seqserve.service.engine.batching.ticket import Answer
from seqserve.service.engine.event_loop import run_in_thread
from seqserve.service.engine.sampling.decoder import Decoder

Run = Callable[[list[Any]], Sequence[Any]]


def recorded(run: Run) -> Run:
    """Answer rows of tokens from memory; the graph sees each distinct row once, alone."""
    known: dict[tuple[str, ...], Any] = {}

    def look_up(rows: list[Sequence[str]]) -> list[Any]:
        results = []
        for row in rows:
            key = tuple(row)
            if key not in known:
                known[key] = run([row])[0]
            results.append(known[key])
        return results

    return look_up


def recorded_batcher(run: Run, **options: Any) -> Batcher[Any, Any]:
    """The service's own batcher, whose runs cost next to nothing."""
    return Batcher(recorded(run), **options)


def constant_answer(app: Any, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Stand in for the app: the least that a request can cost."""
    start_response("200 OK", [("Content-Type", "application/json")])
    return [b"{}"]


class Direct(Batcher[Any, Any]):
    """No batching and no queue: every request runs its own rows, one by one."""

    def __init__(self, run: Run, **options: Any) -> None:
        super().__init__(run, **options)
        self._run_rows = run

    def submit(self, rows: Sequence[Any], lengths: Sequence[int], **_: Any) -> Answer[Any]:
        """Answer rows in order; cancellation is not looked at."""
        started_at = time.monotonic()
        results = [self._call([row])[0] for row in rows]
        return Answer(results, 0.0, time.monotonic() - started_at)

    def _call(self, rows: list[Any]) -> Sequence[Any]:
        return run_in_thread(self._run_rows, rows)


class Recorded(Direct):
    """No engine at all: every request looks its rows up in memory, in the thread that serves it."""

    def __init__(self, run: Run, **options: Any) -> None:
        super().__init__(recorded(run), **options)

    def _call(self, rows: list[Any]) -> Sequence[Any]:
        return self._run_rows(rows)


def rows_in_order(lengths: Sequence[int], limits: BatchLimits) -> list[int]:
    """Stand in for the plan of batches: the rows that wait longest, whatever their lengths."""
    return list(range(min(limits.max_rows, len(lengths))))


class LeavingDecoder(Decoder):
    """Samples get slots only when all slots are free; those that have ended leave the batch at once."""

    def _fill_slots(self) -> None:
        if not len(self._rows):
            super()._fill_slots()


class StaticDecoder(LeavingDecoder):
    """The same, but the batch keeps its size until its longest sample has ended."""

    def __init__(self, bundle: LanguageModelBundle, **options: Any) -> None:
        self._steps = PaddedSteps(bundle)
        super().__init__(cast(LanguageModelBundle, self._steps), **options)

    def _fill_slots(self) -> None:
        if not len(self._rows):
            self._steps.num_rows = 0
        super()._fill_slots()


class PaddedSteps:
    """A language model whose steps never have fewer rows than the ones before, until `num_rows` is set to 0."""

    def __init__(self, bundle: LanguageModelBundle) -> None:
        self._bundle = bundle
        self.num_rows = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bundle, name)

    def run_step(self, batch: StepBatch) -> StepResult:
        """As the bundle's."""
        return self._padded(self._bundle.run_step, batch)

    def advance(self, batch: StepBatch) -> StepResult:
        """As the bundle's."""
        return self._padded(self._bundle.advance, batch)

    def _padded(self, run: Callable[[StepBatch], StepResult], batch: StepBatch) -> StepResult:
        num_rows = len(batch.previous_ids)
        self.num_rows = max(self.num_rows, num_rows)
        missing = self.num_rows - num_rows
        if not missing:
            return run(batch)
        arrays = {name: np.concatenate([each, each[-1:].repeat(missing, 0)]) for name, each in batch.feeds().items()}
        result = run(StepBatch(**arrays))
        return StepResult(result.next_ids[:num_rows], result.log_probs[:num_rows], result.state[:num_rows])
