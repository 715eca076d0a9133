"""Reading a prompt: chunk by chunk, wherever it is read, so that the same runs give the same bits."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seqserve.language.model import LanguageModelBundle
from seqserve.language.scoring import Position, score_in_chunks

_CHUNK_TOKENS = 64  # running samples of a server wait for a chunk between two tokens


def prompt_chunk_tokens(bundle: LanguageModelBundle) -> int:
    """Return how many tokens of a prompt are read at a time."""
    return min(_CHUNK_TOKENS, bundle.manifest.limits.max_chunk_tokens)


def read_prompt(bundle: LanguageModelBundle, prompt_ids: Sequence[int]) -> NDArray[np.float32]:
    """Return the state (S,) after all tokens of a prompt but the last, which the first step reads."""
    ids = np.array(prompt_ids, np.int32)
    size = prompt_chunk_tokens(bundle)
    (read,) = score_in_chunks(bundle.run_score, [ids], [Position.start(bundle.manifest)], max_chunk_tokens=size)
    return read.state
