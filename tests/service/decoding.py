"""What tests of the decoder share: toys whose runs are watched, and the step graph driven by hand."""

import threading
import time
from collections.abc import Sequence

from seqserve.language.model import ScoredRow, ScoreRow, StepBatch, StepResult
from seqserve.language.sampling.sample import Sample
from seqserve.language.sampling.spec import SampleSpec, uniforms
from seqserve.service.engine.cancellation import Cancellation
from seqserve.service.engine.sampling.decoder import Decoder
from seqserve.service.engine.sampling.handle import SampleHandle
from seqserve.vocabulary.tokens import EOS_ID, START_ID, UNKNOWN_ID
from tests.toy_language_model import ToyLanguageModel, step_batch

FAR = 60.0
NEVER_ENDS = (EOS_ID, UNKNOWN_ID)

Drawn = tuple[list[int], list[float], str | None]


def spec(index: int = 0, *, seed: int = 7, max_tokens: int = 40, **given: object) -> SampleSpec:
    return SampleSpec(seed=seed, index=index, max_tokens=max_tokens, **given)  # type: ignore[arg-type]


def submit(
    decoder: Decoder,
    *specs: SampleSpec,
    deadline_s: float = FAR,
    streams: bool = False,
    **given: object,
) -> SampleHandle:
    """Submit samples; `given` are further fields of their request's cancellation."""
    cancellation = Cancellation(time.monotonic() + deadline_s, **given)  # type: ignore[arg-type]
    return decoder.submit(specs, cancellation=cancellation, streams=streams)


def drawn(samples: Sequence[Sample]) -> list[Drawn]:
    return [(sample.ids, sample.log_probs, sample.finish_reason) for sample in samples]


def draw(decoder: Decoder, *specs: SampleSpec) -> list[Drawn]:
    return drawn(submit(decoder, *specs).wait())


class Watched(ToyLanguageModel):
    """A toy whose runs are written down, and wait for a permit each when `permits` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.permits: threading.Semaphore | None = None
        self.steps: list[StepBatch] = []
        self.runs: list[tuple[str, int]] = []
        self.entered = threading.Event()

    def run_score(self, rows: Sequence[ScoreRow]) -> list[ScoredRow]:
        self.runs.append(("score", len(rows) * max(len(row.ids) for row in rows)))
        return super().run_score(rows)

    def run_step(self, batch: StepBatch) -> StepResult:
        self.entered.set()
        if self.permits is not None:
            assert self.permits.acquire(timeout=FAR)
        self.steps.append(batch)
        self.runs.append(("step", len(batch.previous_ids)))
        return super().run_step(batch)


def drawn_by_hand(model: ToyLanguageModel, given: SampleSpec) -> Drawn:
    """Draw with the step graph alone, the prompt read token by token too."""
    state = model.zero_state()[None]
    previous = START_ID
    for token_id in given.prompt_ids:
        state = model.run_step(step_batch([previous], state)).state
        previous = token_id
    numbers = uniforms(given.seed, given.index)
    ids: list[int] = []
    log_probs: list[float] = []
    while len(ids) < given.max_tokens:
        repeated = list(dict.fromkeys((*given.prompt_ids, *ids))) if given.repetition_penalty != 1 else []
        banned = set(given.banned_ids) | ({EOS_ID} if len(ids) < given.min_tokens else set())
        result = model.run_step(
            step_batch(
                [previous],
                state,
                uniforms=[next(numbers)],
                banned_ids=[sorted(banned)],
                repeated_ids=[repeated],
                temperatures=given.temperature,
                top_ks=given.top_k,
                top_ps=given.top_p,
                min_ps=given.min_p,
                repetition_penalties=given.repetition_penalty,
            )
        )
        state, previous = result.state, int(result.next_ids[0])
        ids.append(previous)
        log_probs.append(float(result.log_probs[0]))
        if previous == EOS_ID:
            return ids, log_probs, "eos"
    return ids, log_probs, "length"
