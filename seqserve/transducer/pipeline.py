"""Texts to other texts, by beam search."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from seqserve.reading import Place, check_row
from seqserve.transducer.answers import TransduceResult
from seqserve.transducer.beam import Hypothesis, Search
from seqserve.transducer.model import STEPS_A_TOKEN, TransducerBundle

DEFAULT_TOKENS = 128
MAX_TOKENS = 512
MAX_BEAMS = 16

MaxTokens = Annotated[
    int, Meta(ge=1, le=MAX_TOKENS, description="Most tokens of an answer, the end of the text counted.")
]
Beams = Annotated[
    int,
    Meta(
        ge=1,
        le=MAX_BEAMS,
        description="Width of the beam search; 1, the default, is greedy. Of the answers that were followed to "
        "their end, the one with the highest log_prob a token is given.",
    ),
]


def read_text(text: str, bundle: TransducerBundle, place: Place) -> NDArray[np.int32]:
    """Return the source ids of the text at a place of a call; raises InvalidRequestError and TextTooLongError."""
    ids = bundle.source_ids(text)
    check_row(len(ids), bundle.manifest.limits.max_source_tokens, *place)
    return ids


def expected_cost(num_source_tokens: int, search: Search) -> int:
    """Return what a text is expected to cost, in tokens as TransducerBundle counts them; rows of like cost share a run.

    An answer has seldom more than twice the tokens of its text, and each hypothesis of the beam costs as much as one.
    """
    num_steps = num_source_tokens + min(search.max_tokens, 2 * num_source_tokens + 8)
    return max(1, search.beams * num_steps // STEPS_A_TOKEN)


def result_of(bundle: TransducerBundle, found: Hypothesis) -> TransduceResult:
    """Turn what the search found into an answer."""
    return TransduceResult(text=bundle.text_of(found.ids), log_prob=found.log_prob, finish_reason=found.finish_reason)
