"""Drawing the samples of one prompt in the caller's thread."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from seqserve.language.model import LanguageModelBundle
from seqserve.language.sampling.sample import Sample
from seqserve.language.sampling.spec import nothing_left
from seqserve.language.sampling.step_rows import StepRows
from seqserve.language.scoring import Position, score_in_chunks

_PROMPT_TOKENS = 64  # running samples of a server wait for a chunk between two tokens


def prompt_chunk_tokens(bundle: LanguageModelBundle) -> int:
    """Return how many tokens of a prompt are read at a time, wherever it is read: the same runs give the same bits."""
    return min(_PROMPT_TOKENS, bundle.manifest.limits.max_chunk_tokens)


def draw(bundle: LanguageModelBundle, samples: Sequence[Sample]) -> Iterator[None]:
    """Draw samples of one prompt to their ends, all together; yield after each token.

    Raises InvalidRequestError when nothing is left that may be drawn, and what the graphs raise.
    """
    state = _read(bundle, samples[0].spec.prompt_ids)
    for sample in samples:
        sample.state = state
    rows: StepRows[Sample] = StepRows(bundle.state_size)
    rows.change([], samples)
    while rows.samples:
        ended, stuck = rows.advance(rows.run(bundle))
        if stuck:
            raise nothing_left()
        rows.change(ended, [])
        yield


def _read(bundle: LanguageModelBundle, prompt_ids: Sequence[int]) -> NDArray[np.float32]:
    """Return the state (S,) after all tokens of a prompt but the last, which the first step reads."""
    ids = np.array(prompt_ids, np.int32)
    size = prompt_chunk_tokens(bundle)
    (read,) = score_in_chunks(bundle.run_score, [ids], [Position.start(bundle.manifest)], max_chunk_tokens=size)
    return read.state
