"""Rows of one sentence or text each to one padded batch, and back to nothing else: results come per row anyway."""

from collections.abc import Sequence

import numpy as np

from bundle.encoding import TokenBatch
from bundle.vocabulary import PADDING_ID


def stack_rows(rows: Sequence[TokenBatch]) -> TokenBatch:
    """Pad batches of one sentence each to one batch: words (B,T), chars (B,T,L), lengths (B,)."""
    if len(rows) == 1:
        return rows[0]
    num_tokens = max(row.words.shape[1] for row in rows)
    num_chars = max(row.chars.shape[2] for row in rows)
    words = np.full((len(rows), num_tokens), PADDING_ID, dtype=np.int32)
    chars = np.full((len(rows), num_tokens, num_chars), PADDING_ID, dtype=np.int32)
    for index, row in enumerate(rows):
        words[index, : row.words.shape[1]] = row.words[0]
        chars[index, : row.chars.shape[1], : row.chars.shape[2]] = row.chars[0]
    return TokenBatch(words, chars, np.concatenate([row.lengths for row in rows]))
