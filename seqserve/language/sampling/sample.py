"""What has been drawn of one sample."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seqserve.language.sampling.spec import SampleSpec, SeenIds, uniforms
from seqserve.vocabulary.tokens import EOS_ID, START_ID

FinishReason = Literal["eos", "length", "stop"]


class Sample:
    """What has been drawn of one sample: `ids` and the model's own `log_probs` (natural logarithms), <EOS> included.

    One thread draws. Any other may read the first len(log_probs) entries of both; when it finds a `finish_reason` and
    reads `log_probs` after that, it has all of them.
    """

    __slots__ = ("finish_reason", "ids", "log_probs", "previous_id", "seen", "spec", "state", "uniforms")

    def __init__(self, spec: SampleSpec) -> None:
        self.spec = spec
        self.ids: list[int] = []
        self.log_probs: list[float] = []
        self.finish_reason: FinishReason | None = None
        self.previous_id = spec.prompt_ids[-1] if spec.prompt_ids else START_ID
        self.seen = SeenIds(spec.prompt_ids) if spec.repetition_penalty != 1 else None
        self.uniforms: Iterator[float] = uniforms(spec.seed, spec.index)
        self.state: NDArray[np.float32] | None = None
        """(S,) once its prompt was read, but not while it is one of StepRows; else None."""

    @property
    def banned_ids(self) -> tuple[int, ...]:
        """What must not be drawn next."""
        banned = self.spec.banned_ids
        return banned if self.may_end or EOS_ID in banned else (EOS_ID, *banned)

    @property
    def may_end(self) -> bool:
        """Whether enough tokens were drawn for <EOS> to be allowed."""
        return len(self.ids) >= self.spec.min_tokens

    def take(self, token_id: int, log_prob: float) -> bool:
        """Note what was drawn; return True when the sample has ended with it."""
        self.previous_id = token_id
        self.ids.append(token_id)
        self.log_probs.append(log_prob)
        stops = self.spec.stops
        if token_id == EOS_ID:
            self.finish_reason = "eos"
        elif stops is not None and stops(token_id):
            self.finish_reason = "stop"
        elif len(self.ids) >= self.spec.max_tokens:
            self.finish_reason = "length"
        return self.finish_reason is not None
