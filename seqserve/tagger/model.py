"""A loaded tagger: sentences in, tags, marginals and span posteriors out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqserve.batches import plan_rows
from seqserve.encoding import TokenBatch, check_batch, encode_sentences
from seqserve.graph import Graph
from seqserve.tagger.manifest import TaggerManifest
from seqserve.tagger.tags import Span, spans_from_tags
from seqserve.vocabulary.words import CharacterVocabulary, WordVocabulary


@dataclass(frozen=True, slots=True)
class TaggedSentence:
    """The answer for one sentence of T tokens: best tags, marginals tag_probs (T,K), and span_probs (T,).

    span_probs[t] is the posterior of the best path's span from t on; at its first token that of the whole span.
    """

    tags: tuple[str, ...]
    tag_probs: NDArray[np.float32]
    span_probs: NDArray[np.float32]

    def entities(self) -> list[tuple[Span, float]]:
        """Return the spans of the tags, each with its posterior probability."""
        return [(span, float(self.span_probs[span.start])) for span in spans_from_tags(self.tags)]


@dataclass(frozen=True, slots=True)
class TaggerBundle:
    """A verified tagger, ready to run from any thread; `reproducible`: a row alone equals the row in a batch."""

    manifest: TaggerManifest
    tags: tuple[str, ...]
    words: WordVocabulary
    characters: CharacterVocabulary
    graph: Graph
    reproducible: bool = True

    def encode(self, sentences: Sequence[Sequence[str]]) -> TokenBatch:
        """Look up and pad sentences of at least one token each."""
        limit = self.manifest.limits.max_word_chars
        return encode_sentences(sentences, self.words, self.characters, max_word_chars=limit)

    def run(self, batch: TokenBatch) -> list[TaggedSentence]:
        """Run the graph on one batch as it is; raises ValueError on arrays that it must not see."""
        check_batch(
            batch,
            num_words=len(self.words),
            num_characters=len(self.characters),
            max_word_chars=self.manifest.limits.max_word_chars,
        )
        outputs = self.graph.run(batch.feeds())
        best, tag_probs, span_probs = outputs["tags"], outputs["tag_probs"], outputs["span_probs"]
        return [
            TaggedSentence(
                tuple(self.tags[tag] for tag in best[row, :length].tolist()),
                tag_probs[row, :length].copy(),  # a view would keep the whole batch alive
                span_probs[row, :length].copy(),
            )
            for row, length in enumerate(batch.lengths.tolist())
        ]

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[TaggedSentence]:
        """Tag any number of sentences in batches of like length; an empty sentence has an empty answer."""
        results = [self._nothing() for _ in sentences]
        for rows in plan_rows([len(sentence) for sentence in sentences]):
            for row, result in zip(rows, self.run(self.encode([sentences[row] for row in rows])), strict=True):
                results[row] = result
        return results

    def _nothing(self) -> TaggedSentence:
        return TaggedSentence((), np.zeros((0, len(self.tags)), np.float32), np.zeros(0, np.float32))
