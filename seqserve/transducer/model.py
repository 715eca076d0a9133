"""A loaded encoder-decoder: a text in, another text out, by beam search.

log P(y | x) = sum over t of log P(y<t> | y<1>, ..., y<t-1>, x), natural logarithms, <EOS> counted.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqserve.batches import run_planned
from seqserve.graph import Graph
from seqserve.partial_run import PartialRun
from seqserve.text.apostrophes import plain_text
from seqserve.text.detokenization import Detokenizer
from seqserve.text.tokenizers import TOKENIZERS
from seqserve.transducer.beam import BeamSearch, Hypothesis, Search, StepRows
from seqserve.transducer.manifest import TransducerManifest
from seqserve.vocabulary.tokens import EOS_ID, START_ID, TokenVocabulary

STEPS_A_TOKEN = 4
"""Rows of the decoder that cost as much as one source token and its share of the answer at a beam of one."""

_FIXED_ROWS = 4
"""The fixed cost of a step of the decoder, in rows. Measured: 4 to 5 for the shipped model."""


class TransduceRow(NamedTuple):
    """One text: its source ids (S,) int32, at least one, and how its answer is searched.

    deadline: monotonic seconds; at the first token after it the search ends with what was found.
    """

    source_ids: NDArray[np.int32]
    search: Search
    deadline: float = math.inf


class Encoded(NamedTuple):
    """Texts as the decoder reads them: first state (B,N), lengths (B,), and with attention memory (B,S,M).

    Memory is 0 beyond each row's end.
    """

    state: NDArray[np.float32]
    lengths: NDArray[np.int32]
    memory: NDArray[np.float32] | None


class Decoded(NamedTuple):
    """The most likely next tokens of every row, ids and log-probabilities (R,K), falling; the new state (R,N)."""

    top_ids: NDArray[np.int32]
    top_log_probs: NDArray[np.float32]
    state: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TransducerBundle:
    """A verified encoder-decoder, ready to run from any thread; `reproducible`: a row stands alone in a batch."""

    manifest: TransducerManifest
    source: TokenVocabulary
    target: TokenVocabulary
    encode_graph: Graph
    decode_graph: Graph
    reproducible: bool = True

    def source_ids(self, text: str) -> NDArray[np.int32]:
        """Tokenise and look up; at most one id more than `limits.max_source_tokens`."""
        tokenize = TOKENIZERS[self.manifest.tokenization.source.name]
        tokens = tokenize(plain_text(text), limit=self.manifest.limits.max_source_tokens)
        return np.array([self.source.lookup(token.text) for token in tokens], np.int32)

    def text_of(self, ids: Sequence[int]) -> str:
        """Write target ids as text; <EOS> is not part of it."""
        detokenizer = Detokenizer(self.manifest.tokenization.target.name)
        return "".join(detokenizer.push(self.target.form_of(token_id)) for token_id in ids if token_id != EOS_ID)

    def encode(self, rows: Sequence[NDArray[np.int32]]) -> Encoded:
        """Read texts' source ids (S,) in one run; raises ValueError on what the graph must not see."""
        lengths = np.array([len(ids) for ids in rows], np.int32)
        longest = self.manifest.limits.max_source_tokens
        if not len(lengths) or lengths.min() < 1 or lengths.max() > longest:
            raise ValueError(f"a text has 1 to {longest} tokens, not {lengths.tolist()}")
        source_ids = np.zeros((len(rows), int(lengths.max())), np.int32)
        for row, ids in enumerate(rows):
            source_ids[row, : len(ids)] = ids
        if source_ids.min() < 0 or source_ids.max() >= len(self.source):
            raise ValueError(f"source ids must lie in 0 to {len(self.source) - 1}")
        outputs = self.encode_graph.run({"source_ids": source_ids, "lengths": lengths})
        return Encoded(outputs["state"], lengths, outputs.get("memory"))

    def decode(self, encoded: Encoded, previous_ids: NDArray[np.int32], *, num_top: int) -> Decoded:
        """Read one target token a row, START_ID before the first; raises ValueError on what the graph must not see."""
        if previous_ids.min(initial=0) < START_ID or previous_ids.max(initial=0) >= len(self.target) or num_top < 1:
            raise ValueError(f"target ids must lie in {START_ID} to {len(self.target) - 1}, and num_top be 1 or more")
        feeds: dict[str, NDArray[Any]] = {
            "previous_ids": previous_ids,
            "state": encoded.state,
            "num_top": np.array([num_top], np.int64),
        }
        if encoded.memory is not None:
            feeds |= {"memory": encoded.memory, "lengths": encoded.lengths}
        outputs = self.decode_graph.run(feeds)
        if np.isnan(outputs["top_log_probs"]).any():
            raise ValueError("the model gave log-probabilities that are no numbers")
        return Decoded(outputs["top_ids"], outputs["top_log_probs"], outputs["next_state"])

    def run(self, rows: Sequence[TransduceRow]) -> list[Hypothesis]:
        """Search the answers of texts in one batch: one run of the decoder a token."""
        begun = self.begin(rows)
        begun.advance(math.inf)
        return [found for row in range(len(rows)) if (found := begun.result(row)) is not None]

    def begin(self, rows: Sequence[TransduceRow]) -> "Transduction":
        """Read texts, whose answers are then found in parts."""
        return Transduction(self, rows)

    def transduce(self, rows: Sequence[TransduceRow]) -> list[Hypothesis]:
        """Find the answers of any number of texts, in batches of like length; raises ValueError on an empty one."""
        if not all(len(row.source_ids) for row in rows):
            raise ValueError("a text has at least one token")
        found = run_planned(self.run, rows, [len(row.source_ids) for row in rows])
        return [found[row] for row in range(len(rows))]


class Transduction(PartialRun[Hypothesis]):
    """The search for the answers of texts that have been read together; a row whose deadline passes is given up."""

    def __init__(self, bundle: TransducerBundle, rows: Sequence[TransduceRow]) -> None:
        self._deadlines = [row.deadline for row in rows]
        self._unpaid: list[float] = [
            len(row.source_ids) for row in rows
        ]  # the cost of each row since `advance` last returned it
        steps = _Steps(bundle, bundle.encode([row.source_ids for row in rows]))
        self._search = BeamSearch(steps.advance, [row.search for row in rows])

    def advance(self, until: float) -> list[float]:
        """Go on to the instant `until`, monotonic, by one token at least; return the cost of each row in tokens."""
        search, costs = self._search, self._unpaid
        while not search.is_done:
            now = time.monotonic()
            for row, num_live in enumerate(search.num_live()):
                if num_live and now >= self._deadlines[row]:
                    search.give_up(row)
            nums_live = search.num_live()
            if not any(nums_live):
                break
            fixed = _FIXED_ROWS / sum(map(bool, nums_live))
            costs = [
                cost + num_live + (fixed if num_live else 0) for cost, num_live in zip(costs, nums_live, strict=True)
            ]
            search.advance()
            if time.monotonic() >= until:
                break
        self._unpaid = [0.0] * len(costs)
        return [cost / STEPS_A_TOKEN for cost in costs]

    def result(self, row: int) -> Hypothesis | None:
        """Return the answer of a text; None while the search goes on."""
        return self._search.result(row)

    def give_up(self, row: int) -> None:
        """End the search for a text; its answer is the best that has been found."""
        self._search.give_up(row)


class _Steps:
    """The decoder's rows between two steps: their states, and the memory that each attends to."""

    def __init__(self, bundle: TransducerBundle, encoded: Encoded) -> None:
        self._bundle = bundle
        self._encoded = encoded
        self._state = encoded.state
        self._texts = np.zeros(0, np.intp)
        self._memory, self._lengths = encoded.memory, encoded.lengths

    def advance(self, rows: StepRows) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Do one step of the search."""
        if not np.array_equal(rows.texts, self._texts):  # copying the memory is left out while no row comes or goes
            self._texts = rows.texts
            self._lengths = self._encoded.lengths[rows.texts]
            if self._encoded.memory is not None:
                self._memory = self._encoded.memory[rows.texts, : int(self._lengths.max())]
        at = Encoded(self._state[rows.parents], self._lengths, self._memory)
        decoded = self._bundle.decode(at, rows.previous_ids, num_top=rows.num_top)
        self._state = decoded.state
        return decoded.top_ids, decoded.top_log_probs
