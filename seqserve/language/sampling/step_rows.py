"""Running samples as the arrays of one run: row i belongs to the i-th sample, and no row is empty."""

from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from seqserve.language.model import LanguageModelBundle, StepBatch, StepResult
from seqserve.language.sampling.sample import Sample

AnySample = TypeVar("AnySample", bound=Sample)

_WIDTH_STEP = 64


class StepRows(Generic[AnySample]):
    """Keeps states and parameters stacked between runs; they are gathered anew only when samples join or leave."""

    def __init__(self, state_size: int) -> None:
        self.samples: list[AnySample] = []
        self._are_checked = False  # parameters that were gathered anew are not
        self._state = np.zeros((0, state_size), np.float32)
        self._previous_ids = np.zeros(0, np.int32)
        self._parameters: dict[str, NDArray[np.float32]] = {}
        self._top_ks = np.zeros(0, np.int32)
        self._banned_ids = np.zeros((0, 1), np.int32)
        self._repeated_ids = np.zeros((0, 1), np.int32)
        self._counting: list[tuple[int, AnySample]] = []
        self._too_short: list[AnySample] = []

    def __len__(self) -> int:
        return len(self.samples)

    def change(self, leaving: Sequence[int], joining: Sequence[AnySample]) -> list[AnySample]:
        """Let rows leave, which are returned with their states, and samples join behind the others."""
        if not leaving and not joining:
            return []
        gone = set(leaving)
        kept = [row for row in range(len(self.samples)) if row not in gone]
        left = [self.samples[row] for row in leaving]
        for row, sample in zip(leaving, left, strict=True):
            sample.state = self._state[row].copy()  # a view would keep the whole array alive
        states = [sample.state for sample in joining if sample.state is not None]
        assert len(states) == len(joining), "a sample joins with its prompt's state"
        self._state = np.concatenate([self._state[kept], *(state[None] for state in states)])
        self.samples = [*(self.samples[row] for row in kept), *joining]
        for sample in joining:
            sample.state = None
        if self.samples:
            self._gather()
        return left

    def run(self, bundle: LanguageModelBundle) -> StepResult:
        """Draw one token of every sample in one run; `advance` takes the result. Raises what the graph raises."""
        step = bundle.advance if self._are_checked else bundle.run_step
        result = step(self._batch())
        self._are_checked = True
        return result

    def advance(self, result: StepResult) -> tuple[list[int], list[int]]:
        """Give each sample what was drawn; return the rows that have ended, and those where all was banned."""
        self._state, self._previous_ids = result.state, result.next_ids
        ended, stuck = [], []
        drawn = zip(self.samples, result.next_ids.tolist(), result.log_probs.tolist(), strict=True)
        for row, (sample, token_id, log_prob) in enumerate(drawn):
            if token_id < 0:
                stuck.append(row)
            elif sample.take(token_id, log_prob):
                ended.append(row)
        if self._counting:
            self._count()
        if any(sample.may_end for sample in self._too_short):
            self._gather_banned()
        return ended, stuck

    def _batch(self) -> StepBatch:
        """Return the arrays of the next run; draws one number of every sample."""
        return StepBatch(
            previous_ids=self._previous_ids,
            state=self._state,
            uniforms=np.array([next(sample.uniforms) for sample in self.samples], np.float32),
            top_ks=self._top_ks,
            banned_ids=self._banned_ids,
            repeated_ids=self._repeated_ids,
            **self._parameters,
        )

    def _gather(self) -> None:
        specs = [sample.spec for sample in self.samples]
        self._previous_ids = np.array([sample.previous_id for sample in self.samples], np.int32)
        self._top_ks = np.array([spec.top_k for spec in specs], np.int32)
        self._parameters = {
            "temperatures": np.array([spec.temperature for spec in specs], np.float32),
            "top_ps": np.array([spec.top_p for spec in specs], np.float32),
            "min_ps": np.array([spec.min_p for spec in specs], np.float32),
            "repetition_penalties": np.array([spec.repetition_penalty for spec in specs], np.float32),
        }
        self._gather_banned()
        self._gather_repeated()
        self._are_checked = False

    def _gather_banned(self) -> None:
        rows = [sample.banned_ids for sample in self.samples]
        self._too_short = [sample for sample in self.samples if not sample.may_end]
        self._banned_ids = np.full((len(rows), max(1, *map(len, rows))), -1, np.int32)
        for row, banned in enumerate(rows):
            self._banned_ids[row, : len(banned)] = banned

    def _gather_repeated(self) -> None:
        self._counting = [(row, sample) for row, sample in enumerate(self.samples) if sample.seen is not None]
        sizes = [sample.seen.size for _, sample in self._counting if sample.seen is not None]
        # Spare room, so that a new token seldom needs a new array.
        width = (max(sizes) // _WIDTH_STEP + 1) * _WIDTH_STEP if sizes else 1
        self._repeated_ids = np.full((len(self.samples), width), -1, np.int32)
        for row, sample in self._counting:
            if sample.seen is not None:
                self._repeated_ids[row, : sample.seen.size] = sample.seen.array[: sample.seen.size]

    def _count(self) -> None:
        """Add what was drawn to the ids that repeat."""
        width = self._repeated_ids.shape[1]
        overflows = False
        for row, sample in self._counting:
            seen = sample.seen
            if seen is not None and sample.previous_id >= 0 and seen.add(sample.previous_id):
                if seen.size > width:
                    overflows = True
                else:
                    self._repeated_ids[row, seen.size - 1] = sample.previous_id
        if overflows:
            self._gather_repeated()
