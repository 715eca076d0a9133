"""A loaded tagger: sentences in, tags, marginals and span posteriors out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqserve.batches import run_planned
from seqserve.encoding import TokenBatch
from seqserve.sentence_bundle import SentenceBundle
from seqserve.tagger.manifest import CONTINUE_PROBS, TaggerManifest
from seqserve.tagger.tags import Span, spans_from_tags


@dataclass(frozen=True, slots=True)
class TaggedSentence:
    """The answer for one sentence of T tokens: best tags, marginals tag_probs (T,K), and span_probs (T,).

    span_probs[t] is the posterior of the best path's span from t on; at its first token that of the whole span.
    continue_probs[t,k] (T,K): P(the next tag is the I tag of the same label | tag k at t); None: the graph lacks it.
    """

    tags: tuple[str, ...]
    tag_probs: NDArray[np.float32]
    span_probs: NDArray[np.float32]
    continue_probs: NDArray[np.float32] | None = None

    def entities(self) -> list[tuple[Span, float]]:
        """Return the spans of the tags, each with its posterior probability."""
        return [(span, float(self.span_probs[span.start])) for span in spans_from_tags(self.tags)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggerBundle(SentenceBundle):
    """A verified tagger; `tags` in the order of the graph's last axis."""

    manifest: TaggerManifest
    tags: tuple[str, ...]

    def run(self, batch: TokenBatch) -> list[TaggedSentence]:
        """Run the graph on one batch as it is; raises ValueError on arrays that it must not see."""
        outputs = self.run_graph(batch)
        best, tag_probs, span_probs = outputs["tags"], outputs["tag_probs"], outputs["span_probs"]
        continuing = outputs.get(CONTINUE_PROBS)
        return [
            TaggedSentence(
                tuple(self.tags[tag] for tag in best[row, :length].tolist()),
                tag_probs[row, :length].copy(),  # a view would keep the whole batch alive
                span_probs[row, :length].copy(),
                None if continuing is None else continuing[row, :length].copy(),
            )
            for row, length in enumerate(batch.lengths.tolist())
        ]

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[TaggedSentence]:
        """Tag any number of sentences in batches of like length; an empty sentence has an empty answer."""
        nothing = TaggedSentence((), np.zeros((0, len(self.tags)), np.float32), np.zeros(0, np.float32))
        lengths = [len(sentence) for sentence in sentences]
        found = run_planned(lambda rows: self.run(self.encode(rows)), sentences, lengths)
        return [found.get(row, nothing) for row in range(len(sentences))]
