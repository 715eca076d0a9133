"""A language model of six tokens in plain NumPy, with everything that a LanguageModelBundle has.

logits = BIAS + R @ state', state' = state / 2 + onehot(y<t-1>) (nothing is added for the start), so that every token
read so far matters. Its draw follows the contract of the step graph step by step, one row at a time, in float64: it is
the oracle for graphs too (`draw`).
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seqserve.entries import FileEntry, GoldenEntry, GraphEntry, Tokenization, VocabularyEntry
from seqserve.language.batches import check_step, score_feeds, scored_rows
from seqserve.language.manifest import (
    LanguageModelArchitecture,
    LanguageModelGraphs,
    LanguageModelLimits,
    LanguageModelManifest,
    LanguageModelVocabularies,
)
from seqserve.language.model import LanguageModelBundle, ScoredRow, ScoreRow, StepBatch, StepResult
from seqserve.language.scoring import run_in_batches
from seqserve.manifest import FORMAT_VERSION
from seqserve.text.detokenization import Detokenizer
from seqserve.vocabulary.tokens import START_ID, TokenVocabulary

TOKENS: dict[str, tuple[str, ...]] = {
    "word": (".", "the", "cat", "sat", "'s", "ran"),
    "character": ("a", " ", "b", "\n", "é", "."),
}
_DECAY = 0.5


class ToyLanguageModel:
    """Has the methods and fields of LanguageModelBundle; the same `seed` gives the same model.

    `num_runs` counts graph runs; `recurrent` and `bias` are the weights, (V,V) and (V,), which a test may replace.
    """

    def __init__(
        self,
        level: Literal["word", "character"] = "word",
        *,
        tokens: Sequence[str] | None = None,
        seed: int = 0,
        max_chunk_tokens: int = 128,
        ends_sentences: bool = True,
        tokenization: Literal["seqserve-en-1", "whitespace"] = "whitespace",
    ) -> None:
        self.vocabulary = TokenVocabulary(TOKENS[level] if tokens is None else tokens)
        size = len(self.vocabulary)
        self.manifest = toy_manifest(
            level=level,
            tokenization=tokenization if level == "word" else "characters",
            num_tokens=size,
            state_size=size,
            max_chunk_tokens=max_chunk_tokens,
            ends_sentences=ends_sentences,
        )
        generator = np.random.default_rng(seed)
        self.recurrent = generator.normal(0.0, 1.5, (size, size))
        self.bias = generator.normal(0.0, 0.5, size)
        self.reproducible = True
        self.num_runs = 0

    @property
    def state_size(self) -> int:
        return self.manifest.architecture.state_size

    def zero_state(self) -> NDArray[np.float32]:
        return np.zeros(self.state_size, np.float32)

    def detokenizer(self) -> Detokenizer:
        return Detokenizer(self.manifest.tokenization.name)

    def logits(self, previous_id: int, state: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Return the logits (V,) of the next token and the new state (S,)."""
        read = state * np.float32(_DECAY)
        if previous_id != START_ID:
            read[previous_id] += np.float32(1)
        return self.bias + self.recurrent @ read.astype(np.float64), read

    def distribution(self, ids: Sequence[int]) -> NDArray[np.float64]:
        """Return log P(next | ids), (V,), from the start of a text."""
        state = self.zero_state()
        for previous_id in (START_ID, *ids):
            values, state = self.logits(previous_id, state)
        return log_softmax(values)

    def run_score(self, rows: Sequence[ScoreRow]) -> list[ScoredRow]:
        feeds = score_feeds(
            rows,
            num_tokens=len(self.vocabulary),
            state_size=self.state_size,
            max_chunk_tokens=self.manifest.limits.max_chunk_tokens,
        )
        self.num_runs += 1
        shape, top = feeds["target_ids"].shape, int(feeds["num_top"][0])
        outputs = {
            "log_probs": np.zeros(shape, np.float32),
            "ranks": np.zeros(shape, np.int32),
            "top_ids": np.zeros((*shape, top), np.int32),
            "top_log_probs": np.zeros((*shape, top), np.float32),
            "next_state": feeds["state"].copy(),
        }
        for row, length in enumerate(feeds["lengths"]):
            for place in range(length):
                values, outputs["next_state"][row] = self.logits(
                    int(feeds["previous_ids"][row, place]), outputs["next_state"][row]
                )
                log_probs = log_softmax(values).astype(np.float32)
                own = log_probs[feeds["target_ids"][row, place]]
                outputs["log_probs"][row, place] = own
                if top:
                    best = np.argsort(-log_probs, kind="stable")[:top]
                    outputs["ranks"][row, place] = 1 + np.count_nonzero(log_probs > own)
                    outputs["top_ids"][row, place] = best
                    outputs["top_log_probs"][row, place] = log_probs[best]
        return scored_rows(rows, outputs)

    def advance(self, batch: StepBatch) -> StepResult:
        """As LanguageModelBundle.advance; the toy looks at everything each time."""
        return self.run_step(batch)

    def run_step(self, batch: StepBatch) -> StepResult:
        check_step(batch, num_tokens=len(self.vocabulary), state_size=self.state_size)
        self.num_runs += 1
        size = len(batch.previous_ids)
        result = StepResult(np.zeros(size, np.int32), np.zeros(size, np.float32), np.zeros_like(batch.state))
        for row in range(size):
            values, result.state[row] = self.logits(int(batch.previous_ids[row]), batch.state[row])
            drawn = draw(values, batch, row)
            result.next_ids[row] = drawn
            result.log_probs[row] = log_softmax(values)[drawn] if drawn >= 0 else 0.0
        return result

    def run_rows(self, rows: Sequence[ScoreRow]) -> list[ScoredRow]:
        return run_in_batches(self.run_score, rows)

    encode = LanguageModelBundle.encode
    encode_unended = LanguageModelBundle.encode_unended
    score = LanguageModelBundle.score


def log_softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values - log(sum(exp(values)))."""
    shifted = values - values.max()
    return shifted - np.log(np.exp(shifted).sum())


def draw(logits: NDArray[np.float64], batch: StepBatch, row: int) -> int:
    """Return the id that a row's uniform draws, or -1 when everything is banned."""
    probs = drawn_from(logits, batch, row)
    if not probs.any():
        return -1
    if batch.temperatures[row] == 0:
        return int(probs.argmax())
    mass = np.cumsum(probs)
    return int(np.argmax(mass > float(batch.uniforms[row]) * mass[-1]))


def drawn_from(logits: NDArray[np.float64], batch: StepBatch, row: int) -> NDArray[np.float64]:
    """Return the distribution (V,) that a row is drawn from; greedy: all mass on the best, all 0: all banned."""
    values = np.array(logits, dtype=np.float64)
    repeated = batch.repeated_ids[row][batch.repeated_ids[row] >= 0]
    penalty = float(batch.repetition_penalties[row])
    values[repeated] = np.where(values[repeated] > 0, values[repeated] / penalty, values[repeated] * penalty)
    values[batch.banned_ids[row][batch.banned_ids[row] >= 0]] = -np.inf
    if np.isneginf(values).all():
        return np.zeros_like(values)
    if batch.temperatures[row] == 0:
        return np.eye(len(values))[values.argmax()]
    values /= float(batch.temperatures[row])
    top_k = int(batch.top_ks[row])
    if 0 < top_k < len(values):
        values[values < np.sort(values)[-top_k]] = -np.inf  # ties at the border stay
    probs = np.exp(log_softmax(values))
    if batch.top_ps[row] < 1:
        # A token stays while those that are strictly more probable hold less than top_p.
        above = np.array([probs[probs > own].sum() for own in probs])
        probs[above >= float(batch.top_ps[row])] = 0.0
    probs[probs < float(batch.min_ps[row]) * probs.max()] = 0.0
    return probs / probs.sum()


def step_batch(
    previous_ids: Sequence[int],
    state: NDArray[np.float32],
    *,
    uniforms: Sequence[float] | None = None,
    banned_ids: Sequence[Sequence[int]] | None = None,
    repeated_ids: Sequence[Sequence[int]] | None = None,
    **parameters: float | Sequence[float],
) -> StepBatch:
    """Return a batch of B rows; what is not given is off. A parameter is one number for all rows or one for each."""
    size = len(previous_ids)
    defaults: dict[str, float | Sequence[float]] = {
        "temperatures": 1.0,
        "top_ks": 0,
        "top_ps": 1.0,
        "min_ps": 0.0,
        "repetition_penalties": 1.0,
    }
    given = {
        name: np.broadcast_to(np.asarray(value, np.int32 if name == "top_ks" else np.float32), size).copy()
        for name, value in (defaults | parameters).items()
    }
    return StepBatch(
        previous_ids=np.array(previous_ids, np.int32),
        state=np.array(state, np.float32).reshape(size, -1),
        uniforms=np.array([0.5] * size if uniforms is None else uniforms, np.float32),
        banned_ids=_padded(banned_ids, size),
        repeated_ids=_padded(repeated_ids, size),
        **given,
    )


def toy_manifest(
    *,
    level: Literal["word", "character"],
    tokenization: Literal["seqserve-en-1", "whitespace", "characters"],
    num_tokens: int,
    state_size: int,
    max_chunk_tokens: int = 128,
    ends_sentences: bool = True,
) -> LanguageModelManifest:
    """Return a manifest whose files do not exist."""
    nothing = {"sha256": "0" * 64, "bytes": 0}
    score, step = (GraphEntry(file=f"{name}.onnx", inputs=[], outputs=[], **nothing) for name in ("score", "step"))
    return LanguageModelManifest(
        format_version=FORMAT_VERSION,
        name=f"toy-{level}",
        version="1",
        created="2026-01-02",
        producer="seqserve",
        description="Six tokens",
        languages=["en"],
        architecture=LanguageModelArchitecture(
            cell="rnn",
            level=level,
            num_layers=1,
            embedding_dim=state_size,
            hidden_size=state_size,
            projection_dim=0,
            tied=False,
            softmax="full",
            cutoffs=[],
            state_size=state_size,
            num_parameters=num_tokens * (state_size + 1),
        ),
        graphs=LanguageModelGraphs(score=score, step=step),
        weights=FileEntry(file="weights.safetensors", **nothing),
        vocabularies=LanguageModelVocabularies(tokens=VocabularyEntry(file="tokens.txt", size=num_tokens, **nothing)),
        tokenization=Tokenization(name=tokenization, lookup=["exact"]),
        limits=LanguageModelLimits(max_chunk_tokens=max_chunk_tokens),
        metrics={},
        data=[],
        licence="MIT",
        attribution=[],
        golden=GoldenEntry(file="golden.json", tolerance=1e-3, **nothing),
        reproducible=True,
        extra_files=[],
        ends_sentences=ends_sentences,
    )


def _padded(rows: Sequence[Sequence[int]] | None, size: int) -> NDArray[np.int32]:
    rows = [[] for _ in range(size)] if rows is None else rows
    padded = np.full((size, max(1, *(len(row) for row in rows))), -1, np.int32)
    for number, row in enumerate(rows):
        padded[number, : len(row)] = row
    return padded
