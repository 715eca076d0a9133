"""Open a language model's verified folder, check its recorded answers, and see whether rows stand alone."""

import dataclasses
from pathlib import Path

import numpy as np

from seqserve.bundle import BundleParts
from seqserve.checking import rows_stand_alone
from seqserve.errors import BundleError
from seqserve.files import MANIFEST_FILE
from seqserve.kind import Kind
from seqserve.language.batches import PADDING
from seqserve.language.golden import check_golden, read_golden
from seqserve.language.language_model import LanguageModel
from seqserve.language.manifest import LanguageModelManifest
from seqserve.language.model import LanguageModelBundle, ScoredRow, ScoreRow, StepBatch
from seqserve.language.signature import score_signature, step_signature
from seqserve.signature import check_signature
from seqserve.vocabulary.files import read_tokens
from seqserve.vocabulary.tokens import EOS_ID, START_ID, UNKNOWN_ID

_PROBED_ROWS = 6
_PROBED_TOKENS = 16
_MASS_TOLERANCE = 1e-3


def check(root: Path, bundle: LanguageModelBundle) -> bool:
    """Compare the recorded answers and say whether rows stand alone; raises BundleError."""
    path = root / bundle.manifest.golden.file
    _check_mass(root / bundle.manifest.graphs.score.file, bundle)
    golden = read_golden(path, num_tokens=len(bundle.vocabulary))
    check_golden(path, golden, bundle)
    return bundle.manifest.reproducible and _rows_stand_alone(bundle, [row.ids for row in golden.rows])


def read_parts(root: Path, manifest: LanguageModelManifest) -> BundleParts[LanguageModelBundle]:
    """Read all but the graphs; raises BundleError."""
    entry = manifest.vocabularies.tokens
    vocabulary = read_tokens(root, entry, manifest.tokenization)
    state_size = manifest.architecture.state_size
    score, step = manifest.graphs.score, manifest.graphs.step
    check_signature(root / MANIFEST_FILE, "score", score, score_signature(state_size))
    check_signature(root / MANIFEST_FILE, "step", step, step_signature(state_size))
    values = {"manifest": manifest, "vocabulary": vocabulary, "reproducible": manifest.reproducible}
    return BundleParts(LanguageModelBundle, values, {"score_graph": score, "step_graph": step})


def _check_mass(path: Path, bundle: LanguageModelBundle) -> None:
    """Refuse graphs made for another vocabulary: the probabilities of all ids, and of no others, sum to 1."""
    size = len(bundle.vocabulary)
    row = ScoreRow(size - 1, np.array([size - 1], np.int32), bundle.zero_state(), num_top=size)
    scored = bundle.run_score([row])[0]
    mass = float(np.exp(scored.top_log_probs.astype(np.float64)).sum())
    if not np.array_equal(np.sort(scored.top_ids[0]), np.arange(size)) or not abs(mass - 1) <= _MASS_TOLERANCE:
        raise BundleError(f"{path}: the {size} ids of the vocabulary have the probability {mass:.6g} instead of 1")
    step = _probe_steps(bundle, [scored], [[size - 1]])
    drawn = int(bundle.run_step(step).next_ids[0])
    if not 0 <= drawn < size:
        raise BundleError(f"{path.with_name(bundle.manifest.graphs.step.file)}: draws the id {drawn}, of {size} ids")


def _rows_stand_alone(bundle: LanguageModelBundle, id_rows: list[list[int]]) -> bool:
    """Say whether rows alone, together, and together in another order give the same bits, in both graphs.

    Rows that ask for alternatives and rows that do not are among each other.
    """
    longest = min(_PROBED_TOKENS, bundle.manifest.limits.max_chunk_tokens)
    rows = [
        ScoreRow(START_ID, np.array(ids[:longest], np.int32), bundle.zero_state(), num_top=(number % 2) * 2)
        for number, ids in enumerate(id_rows[-_PROBED_ROWS:])
    ]
    if not rows_stand_alone(bundle.run_score, rows, _bits):
        return False
    batch = _probe_steps(bundle, bundle.run_score(rows), [row.ids.tolist() for row in rows])
    return _steps_stand_alone(bundle, batch)


def _bits(scored: ScoredRow) -> object:
    return [getattr(scored, field.name).tobytes() for field in dataclasses.fields(scored)]


def _steps_stand_alone(bundle: LanguageModelBundle, batch: StepBatch) -> bool:
    together = bundle.run_step(batch)
    for row in range(len(batch.previous_ids)):
        only = slice(row, row + 1)
        alone = bundle.run_step(StepBatch(**{name: array[only] for name, array in batch.feeds().items()}))
        for field in dataclasses.fields(together):
            if getattr(alone, field.name).tobytes() != getattr(together, field.name)[only].tobytes():
                return False
    return True


def _probe_steps(bundle: LanguageModelBundle, scored: list[ScoredRow], id_rows: list[list[int]]) -> StepBatch:
    """Return one step after each row, each with other parameters."""
    size = len(scored)
    number = np.arange(size, dtype=np.int32)
    spread = (number / size).astype(np.float32)
    banned = np.full((size, 2), PADDING, np.int32)
    banned[1::2] = [EOS_ID, UNKNOWN_ID]
    if len(bundle.vocabulary) <= banned.shape[1]:
        banned[:] = PADDING
    return StepBatch(
        previous_ids=np.array([ids[-1] for ids in id_rows], np.int32),
        state=np.stack([row.state for row in scored]),
        uniforms=spread,
        temperatures=spread * np.float32(1.5),  # the first row is greedy
        top_ks=(number % 3) * 5,
        top_ps=np.float32(1) - spread / np.float32(2),
        min_ps=spread / np.float32(20),
        repetition_penalties=np.float32(1) + spread,
        banned_ids=banned,
        repeated_ids=np.array([ids[-1:] for ids in id_rows], np.int32),
    )


LANGUAGE_MODEL = Kind("language model", LanguageModelManifest, LanguageModelBundle, read_parts, check, LanguageModel)
