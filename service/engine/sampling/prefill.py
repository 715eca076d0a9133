"""Read prompts chunk by chunk between the tokens of running samples, which so never wait for a long prompt."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seqserve.language.model import LanguageModelBundle, ScoreRow
from seqserve.language.sampling.drawing import prompt_chunk_tokens
from seqserve.service.engine.sampling.handle import QueuedSample, SampleHandle
from seqserve.service.engine.sampling.turns import Turns
from seqserve.vocabulary.tokens import START_ID

RUN_TOKENS = 128
"""Rows x longest chunk of a run, for which running samples wait between two tokens."""


@dataclass(slots=True, eq=False)
class Prefill:
    """A prompt that is being read once for all samples of a request that have it."""

    handle: SampleHandle
    ids: NDArray[np.int32]
    state: NDArray[np.float32]
    samples: list[QueuedSample] = field(default_factory=list)
    num_read: int = 0

    @property
    def is_read(self) -> bool:
        """Whether the state is that after all but the last token, which the first step reads."""
        return self.num_read == len(self.ids)


class PrefillQueue:
    """Prompts that wait: after each chunk the next client or request has its turn."""

    def __init__(self, bundle: LanguageModelBundle) -> None:
        self._bundle = bundle
        self._chunk_tokens = prompt_chunk_tokens(bundle)
        self._waiting: Turns[Prefill] = Turns()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, handle: SampleHandle) -> list[QueuedSample]:
        """Queue the prompts of a request; return the samples without a prompt, which can start at once."""
        ready = []
        prefills: dict[tuple[int, ...], Prefill] = {}
        for sample in handle.samples:
            ids = sample.spec.prompt_ids
            if not ids:
                sample.state = self._bundle.zero_state()
                ready.append(sample)
                continue
            if ids not in prefills:
                prefills[ids] = Prefill(handle, np.array(ids, np.int32), self._bundle.zero_state())
            prefills[ids].samples.append(sample)
        for prefill in prefills.values():
            self._waiting.add(handle, prefill)
        return ready

    def drop(self, handles: Iterable[SampleHandle]) -> None:
        """Forget the prompts of requests that are over."""
        for handle in handles:
            self._waiting.drop(handle)

    def take(self) -> list[Prefill]:
        """Remove the first prompt, and those after it whose next chunks fit into the same run."""
        chosen: list[Prefill] = []
        longest = 0
        while self._waiting:
            longest = max(longest, len(self._chunk(self._waiting.first())))
            if chosen and (len(chosen) + 1) * longest > RUN_TOKENS:
                break
            chosen.append(self._waiting.take())
        return chosen

    def run(self, chosen: list[Prefill]) -> list[Prefill]:
        """Read one chunk of each prompt in one run; return the prompts that are complete. The others wait again."""
        rows = [
            ScoreRow(int(prefill.ids[prefill.num_read - 1]) if prefill.num_read else START_ID, chunk, prefill.state)
            for prefill in chosen
            for chunk in [self._chunk(prefill)]
        ]
        for prefill, row, scored in zip(chosen, rows, self._bundle.run_score(rows), strict=True):
            prefill.state = scored.state
            prefill.num_read += len(row.ids)
        read = [prefill for prefill in chosen if prefill.is_read]
        for prefill in chosen:
            if not prefill.is_read:
                self._waiting.add(prefill.handle, prefill)
        for prefill in read:
            for sample in prefill.samples:
                sample.state = prefill.state
        return read

    def _chunk(self, prefill: Prefill) -> NDArray[np.int32]:
        return prefill.ids[prefill.num_read : prefill.num_read + self._chunk_tokens]
