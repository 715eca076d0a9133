"""Recorded answers of a language model: written when a bundle is made, compared when it is loaded."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from seqserve.checking import compare
from seqserve.errors import BundleError
from seqserve.files import read_json
from seqserve.language.model import LanguageModelBundle, StepBatch
from seqserve.vocabulary.tokens import EOS_ID, FIRST_ID, START_ID, UNKNOWN_ID

STEP_TOLERANCE = 1e-4
"""How far a token's log-probability may differ between the two graphs."""

_TOP = 4  # alternatives recorded; the last one shows how clear the third is
_DECIMALS = 6  # of recorded log-probabilities
_SAMPLED = 12  # tokens of each recorded sample
_MARGIN = 2e-3  # how far a recorded uniform is from where another token would be drawn


class GoldenRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ids (T,) scored from the start of a text: log_probs and ranks (T,), top_ids and top_log_probs (T,k)."""

    ids: list[int]
    log_probs: list[float]
    ranks: list[int]
    top_ids: list[list[int]]
    top_log_probs: list[list[float]]


class SampleParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How tokens are drawn; see StepBatch."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    banned_ids: list[int] = []


class GoldenSample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ids drawn one after the other from the start of a text, by these uniforms, and their log_probs, all (N,)."""

    parameters: SampleParameters
    uniforms: list[float]
    ids: list[int]
    log_probs: list[float]


class Golden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a language model's golden.json."""

    rows: list[GoldenRow]
    samples: list[GoldenSample]


def record_golden(bundle: LanguageModelBundle, id_rows: Sequence[Sequence[int]]) -> Golden:
    """Return a bundle's answers for rows of ids, as its golden.json holds them.

    Added to the rows: one of unknown tokens only, one of a single token, one longer than a run of the graph takes.
    Raises ValueError when there is no row or one is empty.
    """
    if not id_rows or not all(len(ids) for ids in id_rows):
        raise ValueError("a golden record needs at least one row of ids, none of them empty")
    joined = [int(token_id) for ids in id_rows for token_id in ids]
    longer = bundle.manifest.limits.max_chunk_tokens + 2
    rows = [[int(token_id) for token_id in ids] for ids in id_rows]
    rows += [[UNKNOWN_ID] * 3, [joined[0]], (joined * (longer // len(joined) + 1))[:longer]]
    recorded = []
    for ids, scored in zip(rows, bundle.score(rows, num_top=min(_TOP, len(bundle.vocabulary))), strict=True):
        recorded.append(
            GoldenRow(
                ids=ids,
                log_probs=_rounded(scored.log_probs),
                ranks=scored.ranks.tolist(),
                top_ids=scored.top_ids.tolist(),
                top_log_probs=_rounded(scored.top_log_probs),
            )
        )
    special = [EOS_ID, UNKNOWN_ID] if len(bundle.vocabulary) > FIRST_ID else []
    parameters = [
        SampleParameters(),
        SampleParameters(temperature=0.8, top_k=50, top_p=0.95, min_p=0.01, repetition_penalty=1.2, banned_ids=special),
    ]
    return Golden(rows=recorded, samples=[_record_sample(bundle, chosen) for chosen in parameters])


def read_golden(path: Path, *, num_tokens: int) -> Golden:
    """Read a golden.json; raises BundleError when it is malformed, its parts differ in length or ids do not exist."""
    golden = read_json(path, Golden)
    if not golden.rows or not golden.samples:
        raise BundleError(f"{path}: must hold at least one row and one sample")
    parts: list[tuple[str, GoldenRow | GoldenSample]] = [(f"row {n}", row) for n, row in enumerate(golden.rows)]
    parts += [(f"sample {n}", sample) for n, sample in enumerate(golden.samples)]
    for what, part in parts:
        lists = [value for value in msgspec.structs.asdict(part).values() if isinstance(value, list)]
        if not part.ids or {len(value) for value in lists} != {len(part.ids)}:
            raise BundleError(f"{path}: {what} is empty or its lists differ in length")
        if min(part.ids) < 0 or max(part.ids) >= num_tokens:
            raise BundleError(f"{path}: {what} holds ids beyond 0 to {num_tokens - 1}")
    return golden


def check_golden(path: Path, golden: Golden, bundle: LanguageModelBundle) -> None:
    """Compare a bundle's answers with the recorded ones, and its two graphs with each other; raises BundleError."""
    tolerance = bundle.manifest.golden.tolerance
    num_top = min(_TOP, len(bundle.vocabulary))
    for number, scored in enumerate(bundle.score([row.ids for row in golden.rows], num_top=num_top)):
        row = golden.rows[number]
        what = f"{path}: row {number}"
        compare(f"{what} gives log_probs", scored.log_probs, row.log_probs, tolerance)
        compare(f"{what} gives top_log_probs", scored.top_log_probs, row.top_log_probs, tolerance)
        _check_order(what, scored.ranks, scored.top_ids, row, tolerance)
    for number, sample in enumerate(golden.samples):
        what = f"{path}: sample {number}"
        state = bundle.zero_state()
        drawn: list[float] = []
        for place, (uniform, token_id) in enumerate(zip(sample.uniforms, sample.ids, strict=True)):
            read = sample.ids[:place]
            result = bundle.run_step(_batch(read, [uniform], state, sample.parameters))
            if int(result.next_ids[0]) != token_id:
                raise BundleError(f"{what} draws id {result.next_ids[0]} at token {place} instead of {token_id}")
            drawn.append(float(result.log_probs[0]))
            state = result.state[0]
        compare(f"{what} gives log_probs", np.array(drawn), sample.log_probs, tolerance)
        scored = bundle.score([sample.ids])[0]
        pair = f"{what} gives step log_probs against the score graph's"
        compare(pair, np.array(drawn), scored.log_probs, STEP_TOLERANCE)


def _record_sample(bundle: LanguageModelBundle, parameters: SampleParameters) -> GoldenSample:
    """Draw tokens by uniforms that lie well inside the mass of what they draw, so that rounding changes no id."""
    generator = np.random.default_rng(0)
    state = bundle.zero_state()
    uniforms: list[float] = []
    ids: list[int] = []
    log_probs: list[float] = []
    margin = _MARGIN
    while len(ids) < _SAMPLED:
        uniform = float(np.float32(generator.uniform(margin, 1 - margin)))
        result = bundle.run_step(_batch(ids, [uniform, uniform - margin, uniform + margin], state, parameters))
        if (result.next_ids == result.next_ids[0]).all():
            uniforms.append(uniform)
            ids.append(int(result.next_ids[0]))
            log_probs.append(float(result.log_probs[0]))
            state = result.state[0]
            margin = _MARGIN
        else:
            margin *= 0.9  # where every token is improbable, there is no such room
    return GoldenSample(parameters, uniforms, ids, _rounded(np.array(log_probs)))


def _batch(
    read: Sequence[int], uniforms: Sequence[float], state: NDArray[np.float32], parameters: SampleParameters
) -> StepBatch:
    """Return rows that differ only in their uniforms, after the ids read so far."""
    size = len(uniforms)

    def all_rows(value: float) -> NDArray[np.float32]:
        return np.full(size, value, np.float32)

    def ids(row: Sequence[int]) -> NDArray[np.int32]:
        return np.tile(np.array(list(row) or [-1], np.int32), (size, 1))

    return StepBatch(
        previous_ids=np.full(size, read[-1] if read else START_ID, np.int32),
        state=np.tile(state, (size, 1)),
        uniforms=np.array(uniforms, np.float32),
        temperatures=all_rows(parameters.temperature),
        top_ks=np.full(size, parameters.top_k, np.int32),
        top_ps=all_rows(parameters.top_p),
        min_ps=all_rows(parameters.min_p),
        repetition_penalties=all_rows(parameters.repetition_penalty),
        banned_ids=ids(parameters.banned_ids),
        repeated_ids=ids(sorted(set(read))),
    )


def _check_order(
    what: str, ranks: NDArray[np.int32], top_ids: NDArray[np.int32], row: GoldenRow, tolerance: float
) -> None:
    """Compare alternatives, and ranks among them, wherever log-probabilities lie clearly apart.

    Far down the list neighbours are so close that the order is another one on another machine.
    """
    values = np.array(row.top_log_probs)
    clear = values[:, :-1] - values[:, 1:] > 2 * tolerance
    clear[:, 1:] &= clear[:, :-1].copy()
    recorded = np.array(row.top_ids)
    if recorded.shape != top_ids.shape:
        raise BundleError(f"{what} gives top_ids of shape {top_ids.shape} instead of {recorded.shape}")
    if (recorded != top_ids)[:, :-1][clear].any():
        raise BundleError(f"{what} gives other top_ids than the recorded")
    found, expected = ranks, np.array(row.ranks)
    for place in range(clear.shape[1]):
        if ((found == place + 1) != (expected == place + 1))[clear[:, place]].any():
            raise BundleError(f"{what} gives other ranks than the recorded")


def _rounded(values: NDArray[Any]) -> Any:
    return np.round(values.astype(np.float64), _DECIMALS).tolist()
