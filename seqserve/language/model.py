"""A loaded language model: the probability of tokens, and one drawn token after the other.

log P(y<1>..y<T>) = sum over t of log P(y<t> | y<1>..y<t-1>), natural logarithms; x<1> = 0 and a<0> = 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqserve.graph import Graph
from seqserve.language.batches import (
    ScoredRow,
    ScoreRow,
    StepBatch,
    StepResult,
    check_ids,
    check_step,
    score_feeds,
    scored_rows,
    step_result,
)
from seqserve.language.manifest import LanguageModelManifest
from seqserve.language.scoring import Sequences, run_in_batches, score_sequences
from seqserve.text.detokenization import Detokenizer
from seqserve.text.tokenization import Token
from seqserve.text.tokenizers import TOKENIZERS, TOKENIZERS_OF_UNENDED
from seqserve.vocabulary.tokens import TokenVocabulary

__all__ = ["EncodedText", "LanguageModelBundle", "ScoreRow", "ScoredRow", "StepBatch", "StepResult"]


@dataclass(frozen=True, slots=True)
class EncodedText:
    """A text's tokens, with offsets in code points, and their ids; no <EOS> is added."""

    tokens: list[Token]
    ids: list[int]


@dataclass(frozen=True, slots=True)
class LanguageModelBundle:
    """A verified language model, ready to run from any thread; `reproducible`: a row alone equals the row in a batch.

    State (S,) float32: for each layer in order h (H), then for an LSTM c (H).
    """

    manifest: LanguageModelManifest
    vocabulary: TokenVocabulary
    score_graph: Graph
    step_graph: Graph
    reproducible: bool = True

    @property
    def state_size(self) -> int:
        """S, the number of floats that carry a sequence from one token to the next."""
        return self.manifest.architecture.state_size

    def zero_state(self) -> NDArray[np.float32]:
        """Return a<0> = 0, (S,)."""
        return np.zeros(self.state_size, np.float32)

    def encode(self, text: str, *, limit: int | None = None) -> EncodedText:
        """Tokenise and look up; with a limit, stop once limit + 1 tokens are found."""
        tokens = TOKENIZERS[self.manifest.tokenization.name](text, limit=limit)
        return EncodedText(tokens, [self.vocabulary.lookup(token.text) for token in tokens])

    def encode_unended(self, text: str, *, limit: int | None = None) -> EncodedText:
        """Do the same for a text that goes on, such as a prompt: an abbreviation at its end keeps its period."""
        tokens = TOKENIZERS_OF_UNENDED[self.manifest.tokenization.name](text, limit=limit)
        return EncodedText(tokens, [self.vocabulary.lookup(token.text) for token in tokens])

    def detokenizer(self) -> Detokenizer:
        """Return a fresh detokeniser, at the start of a text."""
        return Detokenizer(self.manifest.tokenization.name)

    def run_score(self, rows: Sequence[ScoreRow]) -> list[ScoredRow]:
        """Score rows in one run, as they are; raises ValueError on what the graph must not see.

        A row is at most `limits.max_chunk_tokens` long.
        """
        feeds = score_feeds(
            rows,
            num_tokens=len(self.vocabulary),
            state_size=self.state_size,
            max_chunk_tokens=self.manifest.limits.max_chunk_tokens,
        )
        return scored_rows(rows, self.score_graph.run(feeds))

    def run_step(self, batch: StepBatch) -> StepResult:
        """Advance every row by one token in one run; raises ValueError on what the graph must not see."""
        check_step(batch, num_tokens=len(self.vocabulary), state_size=self.state_size)
        return self.advance(batch)

    def advance(self, batch: StepBatch) -> StepResult:
        """Do the same for rows whose parameters were looked at by `run_step` before, and only the token is new.

        Looking at all of them again would cost half as much as a step of a small model. Raises ValueError on ids and
        shapes that do not fit, and on a state that is no number any more.
        """
        check_ids(batch.previous_ids, num_tokens=len(self.vocabulary))
        outputs = self.step_graph.run(batch.feeds())
        return step_result(outputs)

    def run_rows(self, rows: Sequence[ScoreRow]) -> list[ScoredRow]:
        """Score any number of rows, each as long as `run_score` allows, in runs of few rows of like length."""
        return run_in_batches(self.run_score, rows)

    def score(self, id_rows: Sequence[Sequence[int]], *, num_top: int = 0) -> list[ScoredRow]:
        """Score any number of rows of any length, each from the start of a text; an empty row has an empty answer."""
        texts = [np.array(ids, np.int32) for ids in id_rows]
        sequences = Sequences(texts, [np.zeros(0, np.int32)], [0] * len(texts))
        return score_sequences(self.run_rows, sequences, self.manifest, num_top=num_top)
